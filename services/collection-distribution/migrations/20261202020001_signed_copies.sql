-- An edition has revisions, a release can be partial, a revision can be recalled, and a copy carries a signed statement.
--
-- The previous release goes on beside this schema: what it writes of an edition is kept as a revision by the database, and the copies
-- it issues have no statement. An edition that this release released in part or recalled is INTERNAL there until it is replaced.
-- What copies must hold to is checked for new rows at once and for those of earlier releases by the next migration.

ALTER TABLE collections.edition
    ADD revision integer NOT NULL DEFAULT 1,
    ADD partly_released_at timestamptz,
    ADD partly_released_by text,
    ADD recalled_at timestamptz,
    ADD recalled_by text,
    ADD recall_reason text,
    DROP CONSTRAINT edition_state,
    DROP CONSTRAINT edition_seal_of_state,
    DROP CONSTRAINT edition_release_of_state,
    ADD CONSTRAINT edition_revision CHECK (revision > 0),
    ADD CONSTRAINT edition_state CHECK (state IN ('PREPARED', 'SEALED', 'PARTLY_RELEASED', 'RELEASED', 'RECALLED')),
    ADD CONSTRAINT edition_seal_of_state CHECK (
        num_nonnulls(sealed_at, sealed_by) = CASE WHEN state = 'PREPARED' THEN 0 ELSE 2 END),
    ADD CONSTRAINT edition_partial_release_of_state CHECK (
        num_nonnulls(partly_released_at, partly_released_by) = ANY (
            CASE WHEN state IN ('PREPARED', 'SEALED') THEN '{0}'::integer[] WHEN state = 'PARTLY_RELEASED' THEN '{2}' ELSE '{0,2}' END)),
    ADD CONSTRAINT edition_release_of_state CHECK (
        num_nonnulls(released_at, released_by) = ANY (
            CASE WHEN state = 'RELEASED' THEN '{2}'::integer[] WHEN state = 'RECALLED' THEN '{0,2}' ELSE '{0}' END)),
    ADD CONSTRAINT edition_released_before_recall CHECK (
        state <> 'RECALLED' OR released_at IS NOT NULL OR partly_released_at IS NOT NULL),
    ADD CONSTRAINT edition_recall_of_state CHECK (
        num_nonnulls(recalled_at, recalled_by, recall_reason) = CASE WHEN state = 'RECALLED' THEN 3 ELSE 0 END),
    ADD CONSTRAINT edition_recall_reason CHECK (recall_reason <> ''),
    ADD CONSTRAINT edition_four_eyes_of_part CHECK (
        partly_released_by <> sealed_by AND partly_released_by <> uploaded_by),
    -- Where the edition stands for who reads it: it is recalled until its replacement is released.
    ADD standing text COLLATE "C" NOT NULL GENERATED ALWAYS AS (
        CASE WHEN revision > 1 AND state IN ('PREPARED', 'SEALED') THEN 'RECALLED' ELSE state END) STORED;

-- Every revision of an edition, the current one as `edition` has it and those recalled before as they stood.
CREATE TABLE collections.revision (
    collection         text        COLLATE "C" NOT NULL,
    period             text        COLLATE "C" NOT NULL,
    revision           integer     NOT NULL CONSTRAINT revision_number CHECK (revision > 0),
    state              text        NOT NULL,
    file               bigint      NOT NULL,
    sha256             bytea       NOT NULL,
    uploaded_by        text        NOT NULL,
    sealed_at          timestamptz,
    sealed_by          text,
    partly_released_at timestamptz,
    partly_released_by text,
    released_at        timestamptz,
    released_by        text,
    recalled_at        timestamptz,
    recalled_by        text,
    recall_reason      text,
    CONSTRAINT revision_key PRIMARY KEY (collection, period, revision),
    CONSTRAINT revision_content UNIQUE (collection, period, revision, sha256),
    CONSTRAINT revision_edition FOREIGN KEY (collection, period) REFERENCES collections.edition,
    CONSTRAINT revision_file FOREIGN KEY (file, collection, period, sha256, uploaded_by)
        REFERENCES collections.edition_file (number, collection, period, sha256, uploaded_by)
);
INSERT INTO collections.revision
    (collection, period, revision, state, file, sha256, uploaded_by, sealed_at, sealed_by, released_at, released_by)
SELECT collection, period, 1, state, file, sha256, uploaded_by, sealed_at, sealed_by, released_at, released_by
FROM collections.edition;

-- Revisions follow one another, the next one only upon a recall; a revision that was recalled never changes again.
CREATE FUNCTION collections.keep_revision() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = collections, pg_temp AS $$
BEGIN
    IF (TG_OP = 'INSERT' AND NEW.revision <> 1)
        OR (TG_OP = 'UPDATE' AND NEW.revision <> OLD.revision + (OLD.state = 'RECALLED')::integer)
    THEN
        RAISE check_violation USING CONSTRAINT = 'edition_next_revision',
            MESSAGE = 'a revision follows the one that was recalled, and nothing else of that one changes';
    END IF;
    INSERT INTO revision
        (collection, period, revision, state, file, sha256, uploaded_by, sealed_at, sealed_by, partly_released_at,
         partly_released_by, released_at, released_by, recalled_at, recalled_by, recall_reason)
    VALUES
        (NEW.collection, NEW.period, NEW.revision, NEW.state, NEW.file, NEW.sha256, NEW.uploaded_by, NEW.sealed_at,
         NEW.sealed_by, NEW.partly_released_at, NEW.partly_released_by, NEW.released_at, NEW.released_by, NEW.recalled_at,
         NEW.recalled_by, NEW.recall_reason)
    ON CONFLICT (collection, period, revision) DO UPDATE
    SET (state, file, sha256, uploaded_by, sealed_at, sealed_by, partly_released_at, partly_released_by, released_at,
         released_by, recalled_at, recalled_by, recall_reason)
        = (EXCLUDED.state, EXCLUDED.file, EXCLUDED.sha256, EXCLUDED.uploaded_by, EXCLUDED.sealed_at, EXCLUDED.sealed_by,
           EXCLUDED.partly_released_at, EXCLUDED.partly_released_by, EXCLUDED.released_at, EXCLUDED.released_by,
           EXCLUDED.recalled_at, EXCLUDED.recalled_by, EXCLUDED.recall_reason);
    RETURN NULL;
END
$$;
CREATE TRIGGER edition_keeps_revision AFTER INSERT OR UPDATE ON collections.edition
    FOR EACH ROW EXECUTE FUNCTION collections.keep_revision();

-- The body that sends the copies, as it applies on a day.
CREATE TABLE collections.sending_body (
    id                    text    COLLATE "C" NOT NULL
        CONSTRAINT sending_body_id CHECK (id ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(id) <= 64),
    legal_basis_act       text    NOT NULL,
    legal_basis_provision text    NOT NULL,
    legal_basis_uri       text    NOT NULL,
    legal_basis_assumed   boolean NOT NULL,
    valid_from            date    NOT NULL CONSTRAINT sending_body_key PRIMARY KEY,
    valid_to              date    CONSTRAINT sending_body_validity CHECK (valid_to >= valid_from)
);
-- Paragraph 11 names the bodies of legal statistics, the Committee and its territorial bodies; that the Committee is the one that
-- sends the collections of the whole country is assumed.
INSERT INTO collections.sending_body VALUES
    ('committee', 'Instruction', 'paras 2(6) and 11', 'https://adilet.zan.kz/rus/docs/V1900018554', true, '2019-04-15', NULL);

ALTER TABLE collections.copy
    -- The revision that this is a copy of.
    ADD revision integer NOT NULL DEFAULT 1,
    -- Copy `ordinal` of `copies_total` of its revision.
    ADD ordinal integer,
    ADD copies_total integer,
    -- Of the canonical JSON of the copy's statement, which the key of this id signed with Ed25519. Null, as is the rest of the
    -- statement, where an earlier release issued the copy.
    ADD copy_sha256 bytea,
    ADD signing_key text,
    ADD signature bytea,
    ADD sending_body text COLLATE "C",
    -- When its recipient confirmed that it knows of the recall.
    ADD recall_confirmed_at timestamptz,
    DROP CONSTRAINT copy_state,
    DROP CONSTRAINT copy_receipt_of_state,
    DROP CONSTRAINT copy_content,
    -- SENDING, REJECTED and FAILED belong to delivery.
    ADD CONSTRAINT copy_state CHECK (
        state IN ('ISSUED', 'SENDING', 'RECEIVED', 'REJECTED', 'FAILED', 'RECALLED')) NOT VALID,
    -- What was received before the recall stays known.
    ADD CONSTRAINT copy_receipt_of_state CHECK (
        state = 'RECALLED' OR (received_at IS NOT NULL) = (state = 'RECEIVED')) NOT VALID,
    ADD CONSTRAINT copy_recall_of_state CHECK (state = 'RECALLED' OR recall_confirmed_at IS NULL) NOT VALID,
    ADD CONSTRAINT copy_statement CHECK (
        num_nonnulls(ordinal, copies_total, copy_sha256, signing_key, signature, sending_body) IN (0, 6)) NOT VALID,
    ADD CONSTRAINT copy_ordinal_of_total CHECK (ordinal BETWEEN 1 AND copies_total AND ordinal <= number) NOT VALID,
    ADD CONSTRAINT copy_sha256_length CHECK (octet_length(copy_sha256) = 32) NOT VALID,
    ADD CONSTRAINT copy_signature_length CHECK (octet_length(signature) = 64) NOT VALID,
    -- Once a copy is issued, the content of its revision can no longer change.
    ADD CONSTRAINT copy_content FOREIGN KEY (collection, period, revision, sha256)
        REFERENCES collections.revision (collection, period, revision, sha256) NOT VALID;
CREATE UNIQUE INDEX copy_ordinal ON collections.copy (collection, period, revision, ordinal) WHERE ordinal IS NOT NULL;

GRANT SELECT ON collections.revision, collections.sending_body TO collections_runtime;
GRANT UPDATE (revision, partly_released_at, partly_released_by, recalled_at, recalled_by, recall_reason)
    ON collections.edition TO collections_runtime;
GRANT UPDATE (recall_confirmed_at) ON collections.copy TO collections_runtime;
