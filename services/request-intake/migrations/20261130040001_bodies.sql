-- Bodies are rows: a state body sees by its own certificate the requests with its BIN, and a request names the body of legal
-- statistics that received it. A replica of the release before shows requests without that body until it is replaced.

-- What is known of a body for a time. Nothing is changed in place: a correction supersedes a row and writes another.
CREATE TABLE requests.body (
    number                bigint      GENERATED ALWAYS AS IDENTITY CONSTRAINT body_key PRIMARY KEY,
    id                    text        NOT NULL CONSTRAINT body_id CHECK (id ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(id) <= 64),
    title_kk              text        NOT NULL,
    title_ru              text        NOT NULL,
    title_en              text        NOT NULL,
    -- The name in the client certificate of its system; null when it has none.
    certificate_name      text        CONSTRAINT body_certificate_name CHECK (certificate_name <> ''),
    bin                   text        CONSTRAINT body_bin CHECK (bin ~ '^[0-9]{12}$'),
    kind                  text        NOT NULL CONSTRAINT body_kind
        CHECK (kind IN ('STATE_BODY', 'COMMITTEE', 'TERRITORIAL_BODY')),
    -- Of a territorial body of legal statistics (Instruction, paras 2(6) and 11).
    territory             text        CONSTRAINT body_territory CHECK (territory ~ '^[0-9]{9}$'),
    legal_basis_act       text        NOT NULL,
    legal_basis_provision text        NOT NULL,
    legal_basis_uri       text        NOT NULL,
    legal_basis_assumed   boolean     NOT NULL,
    valid_from            date        NOT NULL,
    valid_to              date        CONSTRAINT body_validity CHECK (valid_to >= valid_from),
    reason                text        NOT NULL,
    recorded_at           timestamptz NOT NULL,
    recorded_by           text        NOT NULL,
    -- Null while the row counts.
    superseded_at         timestamptz CONSTRAINT body_superseded CHECK (superseded_at >= recorded_at),
    CONSTRAINT body_title CHECK (title_kk <> '' OR title_ru <> '' OR title_en <> ''),
    CONSTRAINT body_territory_of_kind CHECK ((territory IS NOT NULL) = (kind = 'TERRITORIAL_BODY'))
);
CREATE UNIQUE INDEX body_period ON requests.body (id, valid_from) WHERE superseded_at IS NULL;

-- Of the rows that count, one body has one at a time, and a certificate names one body at a time. All writers wait for each other at
-- the revision of the rules, so that each sees what the one before has written.
CREATE FUNCTION requests.require_one_body() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = requests, pg_temp AS $$
BEGIN
    UPDATE requests.rule_revision SET revision = revision + 1;
    IF NEW.superseded_at IS NOT NULL THEN
        RETURN NULL;
    END IF;
    IF EXISTS (
        SELECT FROM requests.body AS other
        WHERE other.number <> NEW.number AND other.superseded_at IS NULL AND other.id = NEW.id
          AND daterange(other.valid_from, other.valid_to, '[]') && daterange(NEW.valid_from, NEW.valid_to, '[]'))
    THEN
        RAISE unique_violation USING CONSTRAINT = 'body_one_at_a_time', MESSAGE = 'a body has one row at a time';
    END IF;
    IF EXISTS (
        SELECT FROM requests.body AS other
        WHERE other.superseded_at IS NULL AND other.id <> NEW.id AND other.certificate_name = NEW.certificate_name
          AND daterange(other.valid_from, other.valid_to, '[]') && daterange(NEW.valid_from, NEW.valid_to, '[]'))
    THEN
        RAISE unique_violation
            USING CONSTRAINT = 'body_certificate_name_of_one', MESSAGE = 'a certificate names one body at a time';
    END IF;
    RETURN NULL;
END
$$;
-- Bodies are read with the rules, and again when their revision is another.
CREATE TRIGGER body_one AFTER INSERT OR UPDATE ON requests.body
    FOR EACH ROW EXECUTE FUNCTION requests.require_one_body();

GRANT SELECT ON requests.body TO requests_runtime;
GRANT INSERT (id, title_kk, title_ru, title_en, certificate_name, bin, kind, territory, legal_basis_act,
    legal_basis_provision, legal_basis_uri, legal_basis_assumed, valid_from, valid_to, reason, recorded_at, recorded_by)
    ON requests.body TO requests_runtime;
GRANT UPDATE (superseded_at) ON requests.body TO requests_runtime;

-- Null means the Committee.
ALTER TABLE requests.request ADD receiving_body text;
GRANT INSERT (receiving_body) ON requests.request TO requests_runtime;
