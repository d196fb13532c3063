-- Answers: every version of a draft, who approved which, and how it was dispatched; and the rules by which a draft says why
-- something is not provided and how to appeal. A request that is not answered has no row here.

CREATE TABLE requests.answer (
    request    uuid        NOT NULL CONSTRAINT answer_request REFERENCES requests.request,
    version    integer     NOT NULL CONSTRAINT answer_version CHECK (version >= 1),
    -- The canonical JSON (RFC 8785), the very bytes that are signed.
    canonical  bytea       NOT NULL CONSTRAINT answer_canonical CHECK (octet_length(canonical) <= 4194304),
    sha256     bytea       NOT NULL CONSTRAINT answer_sha256 CHECK (octet_length(sha256) = 32),
    -- Who made this version, drafting or editing.
    written_by text        NOT NULL,
    written_at timestamptz NOT NULL,
    CONSTRAINT answer_key PRIMARY KEY (request, version)
);

CREATE TABLE requests.answer_approval (
    request     uuid        NOT NULL,
    version     integer     NOT NULL,
    approved_by text        NOT NULL,
    capacity    text        NOT NULL CONSTRAINT answer_approval_capacity CHECK (capacity IN ('HEAD', 'DEPUTY', 'HEAD_OF_APPARATUS')),
    approved_at timestamptz NOT NULL,
    -- A detached CMS in DER over the canonical JSON.
    signature   bytea       NOT NULL CONSTRAINT answer_approval_signature CHECK (octet_length(signature) BETWEEN 1 AND 65536),
    verdict     text        NOT NULL CONSTRAINT answer_approval_verdict CHECK (verdict IN ('VALID', 'NOBODY_TRUSTED', 'UNSUPPORTED')),
    signer      text        NOT NULL,
    CONSTRAINT answer_approval_key PRIMARY KEY (request, version),
    CONSTRAINT answer_approval_answer FOREIGN KEY (request, version) REFERENCES requests.answer
);

-- Four eyes: who has drafted or edited any version up to this one does not approve it.
CREATE FUNCTION requests.approve_by_another() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM requests.answer
               WHERE request = NEW.request AND version <= NEW.version AND written_by = NEW.approved_by) THEN
        RAISE EXCEPTION 'who approves wrote a version of the answer'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'answer_approval_by_another', TABLE = 'answer_approval';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER answer_approval_by_another BEFORE INSERT ON requests.answer_approval FOR EACH ROW
    EXECUTE FUNCTION requests.approve_by_another();

CREATE TABLE requests.dispatch (
    request       uuid        NOT NULL CONSTRAINT dispatch_key PRIMARY KEY,
    version       integer     NOT NULL,
    means         text        NOT NULL CONSTRAINT dispatch_means
        CHECK (means IN ('UNIFIED_EDMS', 'KADAGALAU', 'E_GOVERNMENT', 'POST', 'IN_PERSON', 'EMAIL')),
    dispatched_at timestamptz NOT NULL,
    proof         text        NOT NULL,
    recorded_by   text        NOT NULL,
    recorded_at   timestamptz NOT NULL CONSTRAINT dispatch_not_in_future CHECK (dispatched_at <= recorded_at),
    -- Nothing is dispatched that was not approved.
    CONSTRAINT dispatch_approval FOREIGN KEY (request, version) REFERENCES requests.answer_approval
);

-- Why something is not provided.
CREATE TABLE requests.answer_reason (
    word                  text    NOT NULL,
    text_kk               text    NOT NULL,
    text_ru               text    NOT NULL,
    text_en               text    NOT NULL,
    legal_basis_act       text    NOT NULL,
    legal_basis_provision text    NOT NULL,
    legal_basis_uri       text    NOT NULL,
    legal_basis_assumed   boolean NOT NULL,
    grade                 text    NOT NULL CONSTRAINT answer_reason_grade CHECK (grade IN ('A', 'B', 'C', 'D')),
    valid_from            date    NOT NULL,
    valid_to              date    CONSTRAINT answer_reason_validity CHECK (valid_to >= valid_from),
    CONSTRAINT answer_reason_key PRIMARY KEY (word, valid_from)
);

-- How an answer can be appealed against, by kind of requester.
CREATE TABLE requests.appeal_rule (
    requester_kind        text    NOT NULL CONSTRAINT appeal_rule_requester_kind
        CHECK (requester_kind IN ('STATE_BODY', 'PROSECUTOR_BODY', 'INDIVIDUAL', 'LEGAL_ENTITY')),
    word                  text    NOT NULL,
    text_kk               text    NOT NULL,
    text_ru               text    NOT NULL,
    text_en               text    NOT NULL,
    legal_basis_act       text    NOT NULL,
    legal_basis_provision text    NOT NULL,
    legal_basis_uri       text    NOT NULL,
    legal_basis_assumed   boolean NOT NULL,
    grade                 text    NOT NULL CONSTRAINT appeal_rule_grade CHECK (grade IN ('A', 'B', 'C', 'D')),
    valid_from            date    NOT NULL,
    valid_to              date    CONSTRAINT appeal_rule_validity CHECK (valid_to >= valid_from),
    CONSTRAINT appeal_rule_key PRIMARY KEY (requester_kind, word, valid_from)
);

GRANT SELECT, INSERT ON requests.answer, requests.answer_approval, requests.dispatch, requests.answer_reason, requests.appeal_rule
TO requests_runtime;
