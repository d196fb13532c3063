-- Files of requests: each is uploaded first and belongs to its caller, and then to one request for ever. Their content lies in
-- the folder of files under its SHA-256. A replica of the release before shows requests without them.

CREATE TABLE requests.attachment (
    id               uuid        NOT NULL CONSTRAINT attachment_key PRIMARY KEY,
    kind             text        NOT NULL CONSTRAINT attachment_kind CHECK (kind IN ('ATTACHMENT', 'SIGNED_ORIGINAL', 'SIGNATURE')),
    filename         text        NOT NULL CONSTRAINT attachment_filename CHECK (char_length(filename) BETWEEN 1 AND 255),
    content_type     text        NOT NULL,
    size_bytes       bigint      NOT NULL CONSTRAINT attachment_size CHECK (size_bytes > 0),
    sha256           bytea       NOT NULL CONSTRAINT attachment_sha256 CHECK (octet_length(sha256) = 32),
    uploaded_by      text        NOT NULL,
    uploaded_at      timestamptz NOT NULL,
    -- The signed original that a signature signs.
    signs            uuid        CONSTRAINT attachment_signs REFERENCES requests.attachment
        CONSTRAINT attachment_signature_signs CHECK ((signs IS NOT NULL) = (kind = 'SIGNATURE')),
    -- What the verification came to: of a signature always, of a signed original when it is a container of one.
    signature        text        CONSTRAINT attachment_signature CHECK (signature IN ('VALID', 'NOT_VALID', 'UNSUPPORTED', 'NOBODY_TRUSTED')),
    -- Why it is not valid, or by which algorithm it was made.
    signature_detail text        CONSTRAINT attachment_signature_detail
        CHECK ((signature_detail IS NOT NULL) = (coalesce(signature, '') IN ('NOT_VALID', 'UNSUPPORTED'))),
    request          uuid        CONSTRAINT attachment_request REFERENCES requests.request,
    bound_at         timestamptz CONSTRAINT attachment_bound CHECK ((bound_at IS NULL) = (request IS NULL)),
    CONSTRAINT attachment_verified CHECK (CASE kind WHEN 'ATTACHMENT' THEN signature IS NULL WHEN 'SIGNATURE' THEN signature IS NOT NULL ELSE true END)
);
CREATE INDEX attachment_of_request ON requests.attachment (request, id) WHERE request IS NOT NULL;
CREATE INDEX attachment_unbound ON requests.attachment (uploaded_at) WHERE request IS NULL;
CREATE INDEX attachment_unbound_of_caller ON requests.attachment (uploaded_by) WHERE request IS NULL;
CREATE INDEX attachment_content ON requests.attachment (sha256);
CREATE INDEX attachment_signed ON requests.attachment (signs) WHERE signs IS NOT NULL;
-- A request has one signed original at most, and one signature of it.
CREATE UNIQUE INDEX attachment_one_original ON requests.attachment (request) WHERE kind = 'SIGNED_ORIGINAL' AND request IS NOT NULL;
CREATE UNIQUE INDEX attachment_one_signature ON requests.attachment (request) WHERE kind = 'SIGNATURE' AND request IS NOT NULL;

-- Who signed, of a signature that is valid.
CREATE TABLE requests.attachment_signer (
    attachment         uuid     NOT NULL CONSTRAINT attachment_signer_attachment REFERENCES requests.attachment ON DELETE CASCADE,
    position           smallint NOT NULL CONSTRAINT attachment_signer_position CHECK (position BETWEEN 0 AND 7),
    name               text     NOT NULL,
    serial_number      text     NOT NULL,
    certificate_sha256 bytea    NOT NULL CONSTRAINT attachment_signer_sha256 CHECK (octet_length(certificate_sha256) = 32),
    algorithm          text     NOT NULL,
    signed_at          timestamptz,
    authorities        text[]   NOT NULL,
    revocations_of     timestamptz,
    CONSTRAINT attachment_signer_key PRIMARY KEY (attachment, position)
);

-- What belongs to a request belongs to it for ever.
CREATE FUNCTION requests.refuse_binding_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an attachment belongs to a request already' USING ERRCODE = 'check_violation', CONSTRAINT = 'attachment_bound_once';
END
$$;
CREATE TRIGGER attachment_bound_once BEFORE UPDATE OF request ON requests.attachment FOR EACH ROW
    WHEN (OLD.request IS NOT NULL) EXECUTE FUNCTION requests.refuse_binding_again();

GRANT SELECT, INSERT, DELETE ON requests.attachment TO requests_runtime;
GRANT UPDATE (request, bound_at) ON requests.attachment TO requests_runtime;
GRANT SELECT, INSERT ON requests.attachment_signer TO requests_runtime;
