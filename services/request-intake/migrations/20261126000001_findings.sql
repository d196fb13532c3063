-- What an examination found is kept once for all requests that it was found of, and a request has its final row from the
-- first write on. Rules tell when they change. A replica of the release before shows requests accepted from now on without
-- their checks, and answers repeated calls without them, until it is replaced; what it stores in examination_check is read
-- from there.

-- One check with its text and its law. Found by the first 122 bits of the SHA-256 of all of it, and never changed.
CREATE TABLE requests.finding (
    id                    uuid    NOT NULL CONSTRAINT finding_key PRIMARY KEY,
    rule                  text    NOT NULL,
    outcome               text    NOT NULL CONSTRAINT finding_outcome
        CHECK (outcome IN ('PASSED', 'FAILED', 'PROPOSED', 'UNDETERMINED', 'PENDING', 'NOT_APPLICABLE')),
    field                 text    NOT NULL,
    text_kk               text    NOT NULL,
    text_ru               text    NOT NULL,
    text_en               text    NOT NULL,
    legal_basis_act       text    NOT NULL,
    legal_basis_provision text    NOT NULL,
    legal_basis_uri       text    NOT NULL,
    legal_basis_assumed   boolean NOT NULL
);

-- The findings of the round that counts, in the order of the rules. Empty for requests of the release before, whose checks
-- stand in examination_check until a later release moves them.
ALTER TABLE requests.request ADD COLUMN findings uuid[] NOT NULL DEFAULT '{}';

-- A replica of the release before may examine what was accepted here: then its checks count, and not the findings that
-- were there before.
CREATE FUNCTION requests.forget_findings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.findings := '{}';
    RETURN NEW;
END
$$;
CREATE TRIGGER request_examined_by_release_before BEFORE UPDATE OF examination_round ON requests.request FOR EACH ROW
    WHEN (OLD.examination_round <> NEW.examination_round AND OLD.findings = NEW.findings)
    EXECUTE FUNCTION requests.forget_findings();

-- The rounds of examination before the one that counts.
CREATE TABLE requests.earlier_examination (
    request     uuid        NOT NULL CONSTRAINT earlier_examination_request REFERENCES requests.request,
    round       integer     NOT NULL,
    examined_at timestamptz NOT NULL,
    findings    uuid[]      NOT NULL,
    CONSTRAINT earlier_examination_key PRIMARY KEY (request, round)
);

-- How often the rules have changed: who has read them reads them again when this has.
CREATE TABLE requests.rule_revision (
    only_row boolean NOT NULL DEFAULT true CONSTRAINT rule_revision_key PRIMARY KEY CONSTRAINT rule_revision_only_row CHECK (only_row),
    revision bigint  NOT NULL
);
INSERT INTO requests.rule_revision (revision) VALUES (1);

-- As the owner: whoever may change a rule counts the change, and cannot count what is none.
CREATE FUNCTION requests.count_rule_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = requests, pg_temp AS $$
BEGIN
    UPDATE requests.rule_revision SET revision = revision + 1;
    RETURN NULL;
END
$$;
DO $$
DECLARE
    rules text;
BEGIN
    FOREACH rules IN ARRAY ARRAY['act', 'channel_rule', 'caller_channel', 'signatory_rule', 'ground'] LOOP
        EXECUTE format('CREATE TRIGGER rule_change AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON requests.%I
            FOR EACH STATEMENT EXECUTE FUNCTION requests.count_rule_change()', rules);
    END LOOP;
END
$$;

GRANT SELECT, INSERT ON requests.finding, requests.earlier_examination TO requests_runtime;
GRANT SELECT ON requests.rule_revision TO requests_runtime;
GRANT UPDATE (findings) ON requests.request TO requests_runtime;
