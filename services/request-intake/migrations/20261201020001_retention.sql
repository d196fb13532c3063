-- Personal data are erased by rules that an operator enters with their legal basis, or by an order about one request; none is
-- loaded. What was done stays on record: numbers, days, states, decisions with their law, the journal. A replica of the release
-- before shows an erased request with empty fields until it is replaced.

-- How long the data of requests are kept once they have ended. One person enters a rule and another approves it; until then, and once it
-- is ended, it erases nothing.
CREATE TABLE requests.retention_rule (
    id                    uuid        NOT NULL CONSTRAINT retention_rule_key PRIMARY KEY,
    requester_kinds       text[]      NOT NULL CONSTRAINT retention_rule_requester_kinds
        CHECK (cardinality(requester_kinds) > 0
               AND requester_kinds <@ ARRAY['STATE_BODY', 'PROSECUTOR_BODY', 'INDIVIDUAL', 'LEGAL_ENTITY']),
    -- In which states, of those in which a request ends.
    states                text[]      NOT NULL CONSTRAINT retention_rule_states
        CHECK (cardinality(states) > 0
               AND states <@ ARRAY['LEFT_WITHOUT_CONSIDERATION', 'ANSWERED', 'FORWARDED', 'RETURNED', 'TERMINATED', 'WITHDRAWN']),
    keep_years            integer     NOT NULL,
    keep_months           integer     NOT NULL,
    keep_days             integer     NOT NULL,
    text_kk               text        NOT NULL,
    text_ru               text        NOT NULL,
    text_en               text        NOT NULL,
    legal_basis_act       text        NOT NULL CONSTRAINT retention_rule_act CHECK (legal_basis_act <> ''),
    legal_basis_provision text        NOT NULL CONSTRAINT retention_rule_provision CHECK (legal_basis_provision <> ''),
    legal_basis_uri       text        NOT NULL,
    legal_basis_assumed   boolean     NOT NULL,
    valid_from            date        NOT NULL,
    valid_to              date        CONSTRAINT retention_rule_validity CHECK (valid_to >= valid_from),
    reason                text        NOT NULL CONSTRAINT retention_rule_reason CHECK (reason <> ''),
    entered_at            timestamptz NOT NULL,
    entered_by            text        NOT NULL,
    approved_at           timestamptz,
    approved_by           text,
    ended_at              timestamptz,
    ended_by              text,
    end_reason            text,
    CONSTRAINT retention_rule_kept CHECK (
        keep_years BETWEEN 0 AND 100 AND keep_months BETWEEN 0 AND 1200 AND keep_days BETWEEN 0 AND 36600
        AND keep_years + keep_months + keep_days > 0),
    CONSTRAINT retention_rule_approved CHECK ((approved_at IS NULL) = (approved_by IS NULL)),
    CONSTRAINT retention_rule_approved_by_another CHECK (approved_by <> entered_by),
    CONSTRAINT retention_rule_ended CHECK (num_nonnulls(ended_at, ended_by, end_reason) IN (0, 3))
);

-- Of the rules that are not ended, one at a time is for a kind of requester and a state: of two the shorter would erase what the longer
-- keeps. Writers wait for each other, so that each sees what the one before has written.
CREATE FUNCTION requests.require_one_retention_rule() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('requests.retention_rule'));
    IF EXISTS (
        SELECT FROM requests.retention_rule AS other
        WHERE other.id <> NEW.id AND other.ended_at IS NULL
          AND other.requester_kinds && NEW.requester_kinds AND other.states && NEW.states
          AND daterange(other.valid_from, other.valid_to, '[]') && daterange(NEW.valid_from, NEW.valid_to, '[]'))
    THEN
        RAISE unique_violation
            USING CONSTRAINT = 'retention_rule_one_at_a_time', MESSAGE = 'another rule is for the same requests on some of these days';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER retention_rule_one AFTER INSERT ON requests.retention_rule
    FOR EACH ROW EXECUTE FUNCTION requests.require_one_retention_rule();

-- What was erased, when, by which rule or order, and how much it was. It holds nothing of what was erased.
CREATE TABLE requests.erasure (
    number                bigint      GENERATED ALWAYS AS IDENTITY CONSTRAINT erasure_number UNIQUE,
    request               uuid        NOT NULL CONSTRAINT erasure_key PRIMARY KEY CONSTRAINT erasure_request REFERENCES requests.request,
    -- Null when one request was erased by an order.
    rule                  uuid        CONSTRAINT erasure_rule REFERENCES requests.retention_rule,
    legal_basis_act       text        NOT NULL CONSTRAINT erasure_act CHECK (legal_basis_act <> ''),
    legal_basis_provision text        NOT NULL,
    legal_basis_uri       text        NOT NULL,
    legal_basis_assumed   boolean     NOT NULL,
    -- Of an order; empty for a rule.
    reason                text        NOT NULL CONSTRAINT erasure_reason CHECK ((reason = '') = (rule IS NOT NULL)),
    erased_at             timestamptz NOT NULL,
    erased_by             text        NOT NULL,
    attachments           integer     NOT NULL,
    attachment_bytes      bigint      NOT NULL,
    answer_versions       integer     NOT NULL
);

-- An erased request has nothing personal, and gets nothing personal again.
ALTER TABLE requests.request
    ADD erased_at timestamptz,
    ADD CONSTRAINT request_erased CHECK (
        erased_at IS NULL
        OR (external_number IS NULL AND external_date IS NULL AND addressee = '' AND essence = '' AND requester_full_name = ''
            AND requester_iin IS NULL AND requester_postal_address = '' AND coalesce(signatory_full_name, '') = ''
            AND asked IS NULL AND likely_duplicate_of IS NULL AND repeats IS NULL AND NOT examination_pending
            AND state IN ('LEFT_WITHOUT_CONSIDERATION', 'ANSWERED', 'FORWARDED', 'RETURNED', 'TERMINATED', 'WITHDRAWN'))) NOT VALID;
-- What can fall due: requests that have ended, by the instant from which their data are kept. What is open is not in it.
CREATE INDEX request_erasable ON requests.request (requester_kind, state, (coalesce(changed_at, accepted_at)), number)
    WHERE erased_at IS NULL
      AND state IN ('LEFT_WITHOUT_CONSIDERATION', 'ANSWERED', 'FORWARDED', 'RETURNED', 'TERMINATED', 'WITHDRAWN');

-- Of a file that is erased its kind, size and times stay: its name and its digest, by which who knows a file would find it, do not.
ALTER TABLE requests.attachment
    ADD erased boolean NOT NULL DEFAULT false,
    DROP CONSTRAINT attachment_filename,
    ADD CONSTRAINT attachment_filename CHECK (char_length(filename) <= 255 AND (filename = '') = erased) NOT VALID,
    ADD CONSTRAINT attachment_erased CHECK (NOT erased OR sha256 = decode(repeat('00', 32), 'hex')) NOT VALID;

-- What was submitted changes only together with a record of what was there before, or when it is erased: then nothing of it is left.
CREATE OR REPLACE FUNCTION requests.require_changed_field() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed uuid := to_jsonb(NEW) ->> TG_ARGV[0];
BEGIN
    IF pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'USAGE') THEN
        RETURN NULL;
    END IF;
    IF EXISTS (SELECT FROM requests.request WHERE id = changed AND erased_at IS NOT NULL) THEN
        RETURN NULL;
    END IF;
    IF NOT EXISTS (SELECT FROM requests.changed_field
                   WHERE request = changed AND changed_field.xmin = pg_current_xact_id()::xid) THEN
        RAISE insufficient_privilege USING MESSAGE = 'what was submitted changes only with a record of what was there before';
    END IF;
    RETURN NULL;
END
$$;

-- Erases the requests for which an erasure is recorded, and gives the contents of their files. As the owner, so that the runtime role,
-- which may change neither a decision nor an answer, can do this and nothing like it.
CREATE FUNCTION requests.erase(erased uuid[]) RETURNS SETOF bytea LANGUAGE plpgsql SECURITY DEFINER
SET search_path = requests, pg_temp AS $$
DECLARE
    due uuid[] := (SELECT array_agg(r.id) FROM requests.request AS r JOIN requests.erasure AS e ON e.request = r.id
                   WHERE r.id = ANY (erased) AND r.erased_at IS NULL);
BEGIN
    RETURN QUERY SELECT DISTINCT a.sha256 FROM requests.attachment AS a WHERE a.request = ANY (due) AND NOT a.erased;
    DELETE FROM requests.attachment_signer AS s USING requests.attachment AS a WHERE a.id = s.attachment AND a.request = ANY (due);
    UPDATE requests.attachment SET filename = '', sha256 = decode(repeat('00', 32), 'hex'), erased = true WHERE request = ANY (due);
    UPDATE requests.item SET description = '' WHERE request = ANY (due);
    UPDATE requests.clarification SET text_kk = '', text_ru = '', text_en = '' WHERE request = ANY (due) AND decision IS NOT NULL;
    UPDATE requests.changed_field SET before = '', after = '' WHERE request = ANY (due);
    UPDATE requests.decision SET reason = '', to_body = CASE WHEN to_body IS NOT NULL THEN '' END WHERE request = ANY (due);
    UPDATE requests.answer SET canonical = '', submission_sha256 = NULL WHERE request = ANY (due);
    UPDATE requests.dispatch SET proof = '' WHERE request = ANY (due);
    UPDATE requests.request AS r
    SET erased_at = e.erased_at, changed_at = greatest(r.changed_at, e.erased_at), external_number = NULL, external_date = NULL,
        addressee = '', essence = '', requester_full_name = '', requester_iin = NULL, requester_postal_address = '',
        signatory_full_name = CASE WHEN r.signatory_full_name IS NOT NULL THEN '' END,
        asked = NULL, likely_duplicate_of = NULL, repeats = NULL, examination_pending = false
    FROM requests.erasure AS e WHERE e.request = r.id AND r.id = ANY (due);
END
$$;
REVOKE EXECUTE ON FUNCTION requests.erase FROM PUBLIC;
GRANT EXECUTE ON FUNCTION requests.erase TO requests_runtime;

-- The kept answers about a request are found by when its journal says that they were given. The index has one entry for many pages, and
-- costs a submission next to nothing; the rows come in the order of their time.
CREATE INDEX idempotency_recorded_at ON requests.idempotency USING brin (recorded_at timestamptz_minmax_multi_ops)
    WITH (pages_per_range = 16, autosummarize = on);
-- The digest of what was asked goes with the answer.
GRANT UPDATE (body_sha256) ON requests.idempotency TO requests_runtime;

GRANT SELECT, INSERT ON requests.retention_rule TO requests_runtime;
GRANT UPDATE (approved_at, approved_by, ended_at, ended_by, end_reason) ON requests.retention_rule TO requests_runtime;
GRANT SELECT ON requests.erasure TO requests_runtime;
GRANT INSERT (request, rule, legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed, reason, erased_at, erased_by,
    attachments, attachment_bytes, answer_versions) ON requests.erasure TO requests_runtime;
