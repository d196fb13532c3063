-- What a recipient is has a time: names, parent, certificate, endpoint and what it became. The row of the register stays as its first
-- state until something else is recorded; the previous release goes on reading it.

-- What is known of a recipient for a time. Nothing is changed in place: a correction supersedes a row and writes another.
CREATE TABLE collections.recipient_detail (
    number                bigint      GENERATED ALWAYS AS IDENTITY CONSTRAINT recipient_detail_key PRIMARY KEY,
    recipient             text        COLLATE "C" NOT NULL CONSTRAINT recipient_detail_recipient REFERENCES collections.recipient,
    name_kk               text        NOT NULL,
    name_ru               text        NOT NULL,
    name_en               text        NOT NULL,
    parent                text        COLLATE "C" CONSTRAINT recipient_detail_parent REFERENCES collections.recipient,
    -- The name in the client certificate of its system; null when it has none.
    certificate_name      text        COLLATE "C" CONSTRAINT recipient_detail_certificate_name CHECK (certificate_name <> ''),
    -- Where its own server takes copies; null when it fetches them itself.
    endpoint              text        CONSTRAINT recipient_detail_endpoint CHECK (endpoint LIKE 'https://%'),
    -- What gets its copies after its last day.
    successor             text        COLLATE "C" CONSTRAINT recipient_detail_successor REFERENCES collections.recipient,
    legal_basis_act       text        NOT NULL,
    legal_basis_provision text        NOT NULL,
    legal_basis_uri       text        NOT NULL,
    legal_basis_assumed   boolean     NOT NULL,
    valid_from            date        NOT NULL,
    valid_to              date        CONSTRAINT recipient_detail_validity CHECK (valid_to >= valid_from),
    reason                text        NOT NULL,
    recorded_at           timestamptz NOT NULL,
    recorded_by           text        NOT NULL,
    -- Null while the row counts.
    superseded_at         timestamptz CONSTRAINT recipient_detail_superseded CHECK (superseded_at >= recorded_at),
    CONSTRAINT recipient_detail_name CHECK (name_kk <> '' OR name_ru <> '' OR name_en <> ''),
    CONSTRAINT recipient_detail_not_its_own CHECK (parent <> recipient AND successor <> recipient),
    CONSTRAINT recipient_detail_succession CHECK (successor IS NULL OR valid_to IS NOT NULL)
);
CREATE UNIQUE INDEX recipient_detail_period ON collections.recipient_detail (recipient, valid_from) WHERE superseded_at IS NULL;
CREATE INDEX recipient_detail_of_certificate ON collections.recipient_detail (certificate_name) WHERE superseded_at IS NULL;

-- What counts: the recordings of a recipient, else its row of the register, by which its id is the name in its certificate.
CREATE VIEW collections.recipient_state AS
SELECT d.number, r.id, r.appendix_column, d.name_kk, d.name_ru, d.name_en, d.parent, d.certificate_name, d.endpoint, d.successor,
    d.legal_basis_act, d.legal_basis_provision, d.legal_basis_uri, d.legal_basis_assumed, d.valid_from, d.valid_to, d.recorded_at
FROM collections.recipient_detail d JOIN collections.recipient r ON r.id = d.recipient
WHERE d.superseded_at IS NULL
UNION ALL
SELECT 0, r.id, r.appendix_column, r.name_kk, r.name_ru, r.name_en, r.parent,
    CASE WHEN r.appendix_column IS NOT NULL THEN r.id END, NULL, NULL,
    r.legal_basis_act, r.legal_basis_provision, r.legal_basis_uri, r.legal_basis_assumed, r.valid_from, r.valid_to, NULL
FROM collections.recipient r
WHERE NOT EXISTS (SELECT FROM collections.recipient_detail d WHERE d.recipient = r.id AND d.superseded_at IS NULL);

CREATE TABLE collections.recipient_revision (
    revision bigint NOT NULL,
    is_one   boolean NOT NULL DEFAULT true CONSTRAINT recipient_revision_key PRIMARY KEY
        CONSTRAINT recipient_revision_one CHECK (is_one)
);
INSERT INTO collections.recipient_revision (revision) VALUES (0);

-- Of the rows that count, one recipient has one at a time, and a certificate names one recipient at a time. All writers wait for each
-- other at the revision, so that each sees what the one before has written.
CREATE FUNCTION collections.require_one_recipient() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = collections, pg_temp AS $$
BEGIN
    UPDATE collections.recipient_revision SET revision = revision + 1;
    IF NEW.superseded_at IS NOT NULL THEN
        RETURN NULL;
    END IF;
    IF EXISTS (
        SELECT FROM collections.recipient_detail AS other
        WHERE other.number <> NEW.number AND other.superseded_at IS NULL AND other.recipient = NEW.recipient
          AND daterange(other.valid_from, other.valid_to, '[]') && daterange(NEW.valid_from, NEW.valid_to, '[]'))
    THEN
        RAISE unique_violation
            USING CONSTRAINT = 'recipient_detail_one_at_a_time', MESSAGE = 'a recipient has one row at a time';
    END IF;
    IF EXISTS (
        SELECT FROM collections.recipient_state AS other
        WHERE other.id <> NEW.recipient AND other.certificate_name = NEW.certificate_name
          AND daterange(other.valid_from, other.valid_to, '[]') && daterange(NEW.valid_from, NEW.valid_to, '[]'))
    THEN
        RAISE unique_violation USING CONSTRAINT = 'recipient_detail_certificate_name_of_one',
            MESSAGE = 'a certificate names one recipient at a time';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER recipient_detail_one AFTER INSERT OR UPDATE ON collections.recipient_detail
    FOR EACH ROW EXECUTE FUNCTION collections.require_one_recipient();

-- The keys with which a recipient signs receipts. Several may hold at once, so that one takes over from another.
CREATE TABLE collections.recipient_signing_key (
    recipient         text        COLLATE "C" NOT NULL CONSTRAINT recipient_signing_key_recipient REFERENCES collections.recipient,
    key               text        COLLATE "C" NOT NULL CONSTRAINT recipient_signing_key_id
        CHECK (key ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(key) <= 64),
    -- Ed25519 (RFC 8032, section 5.1.5).
    public_key        bytea       NOT NULL CONSTRAINT recipient_signing_key_public_key CHECK (octet_length(public_key) = 32),
    valid_from        timestamptz NOT NULL,
    valid_to          timestamptz CONSTRAINT recipient_signing_key_validity CHECK (valid_to >= valid_from),
    reason            text        NOT NULL,
    entered_at        timestamptz NOT NULL,
    entered_by        text        NOT NULL,
    retirement_reason text,
    retired_at        timestamptz,
    retired_by        text,
    CONSTRAINT recipient_signing_key_key PRIMARY KEY (recipient, key),
    CONSTRAINT recipient_signing_key_of_one UNIQUE (public_key),
    CONSTRAINT recipient_signing_key_retirement CHECK (num_nonnulls(retirement_reason, retired_at, retired_by) IN (0, 3))
);

GRANT SELECT ON collections.recipient_detail, collections.recipient_state, collections.recipient_signing_key TO collections_runtime;
GRANT INSERT (recipient, name_kk, name_ru, name_en, parent, certificate_name, endpoint, successor, legal_basis_act,
    legal_basis_provision, legal_basis_uri, legal_basis_assumed, valid_from, valid_to, reason, recorded_at, recorded_by)
    ON collections.recipient_detail TO collections_runtime;
GRANT UPDATE (superseded_at) ON collections.recipient_detail TO collections_runtime;
GRANT INSERT (recipient, key, public_key, valid_from, valid_to, reason, entered_at, entered_by)
    ON collections.recipient_signing_key TO collections_runtime;
GRANT UPDATE (valid_to, retirement_reason, retired_at, retired_by) ON collections.recipient_signing_key TO collections_runtime;
