-- What orders the journal and the outbox is the database's own: number, transaction and the instant of storing are not the
-- runtime role's to choose. `recorded_at` stays the service's clock; entries made before this have no `stored_at`. And a
-- repeat that changes nothing has an outcome of its own.

ALTER TABLE journal_entry ADD COLUMN stored_at timestamptz;
ALTER TABLE journal_entry ALTER COLUMN stored_at SET DEFAULT clock_timestamp();

ALTER TABLE journal_entry DROP CONSTRAINT journal_entry_outcome;
ALTER TABLE journal_entry ADD CONSTRAINT journal_entry_outcome CHECK (outcome IN ('DONE', 'REPEATED', 'REFUSED')) NOT VALID;
ALTER TABLE journal_entry VALIDATE CONSTRAINT journal_entry_outcome;

DO $$
DECLARE
    runtime text := current_schema() || '_runtime';
BEGIN
    EXECUTE format('REVOKE INSERT ON journal_entry, outbox_event FROM %I', runtime);
    EXECUTE format('GRANT INSERT (recorded_at, caller, roles, method, resource, outcome, reason, salt, request_digest, count,
                                  peer_address) ON journal_entry TO %I', runtime);
    EXECUTE format('GRANT INSERT (occurred_at, kind, resource) ON outbox_event TO %I', runtime);
END
$$;
