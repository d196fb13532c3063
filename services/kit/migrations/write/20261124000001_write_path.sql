-- What every write of every service leaves besides its change: the idempotency row, the journal entry, the outbox event.
-- Runs in each service's schema, found through the role's search_path.

CREATE TABLE idempotency (
    caller      text        NOT NULL,
    method      text        NOT NULL,
    request_id  uuid        NOT NULL,
    body_sha256 bytea       NOT NULL CONSTRAINT idempotency_body_sha256_length CHECK (octet_length(body_sha256) = 32),
    response    bytea       NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT idempotency_key PRIMARY KEY (caller, method, request_id)
);

CREATE TABLE journal_entry (
    number         bigint      GENERATED ALWAYS AS IDENTITY CONSTRAINT journal_entry_key PRIMARY KEY,
    recorded_at    timestamptz NOT NULL,
    caller         text        NOT NULL,
    roles          text[]      NOT NULL,
    method         text        NOT NULL,
    resource       text        NOT NULL,
    outcome        text        NOT NULL CONSTRAINT journal_entry_outcome CHECK (outcome IN ('DONE', 'REFUSED')),
    reason         text        NOT NULL,
    salt           bytea       NOT NULL,
    request_digest bytea       NOT NULL,
    count          integer     NOT NULL CONSTRAINT journal_entry_count CHECK (count > 0),
    peer_address   text        NOT NULL
);
CREATE INDEX journal_entry_resource ON journal_entry (resource, number);
CREATE INDEX journal_entry_caller ON journal_entry (caller, number);

CREATE TABLE outbox_event (
    number      bigint      GENERATED ALWAYS AS IDENTITY CONSTRAINT outbox_event_key PRIMARY KEY,
    -- Sequence order is not commit order: a reader stops before the oldest transaction still running.
    transaction xid8        NOT NULL DEFAULT pg_current_xact_id(),
    occurred_at timestamptz NOT NULL,
    kind        text        NOT NULL,
    resource    text        NOT NULL
);

DO $$
DECLARE
    runtime text := current_schema() || '_runtime';
BEGIN
    EXECUTE format('GRANT SELECT, INSERT, UPDATE (response) ON idempotency TO %I', runtime);
    EXECUTE format('GRANT SELECT, INSERT ON journal_entry, outbox_event TO %I', runtime);
END
$$;
