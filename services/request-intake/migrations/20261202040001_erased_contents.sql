-- An erasure leaves nothing behind it: the contents of files that are still to be removed are rows until they are, so that a crash or a
-- store that fails forgets none; and an approver's signature goes unless it is known to enclose nothing of the answer.

-- The digests of contents whose files were erased, until the contents are removed.
CREATE TABLE requests.erased_content (
    sha256    bytea       NOT NULL CONSTRAINT erased_content_key PRIMARY KEY
        CONSTRAINT erased_content_sha256 CHECK (octet_length(sha256) = 32),
    erased_at timestamptz NOT NULL
);
GRANT SELECT, DELETE ON requests.erased_content TO requests_runtime;

-- Whether the container of the signature encloses no content, as the service found. Of what a replica of the release before stored that
-- is not known.
ALTER TABLE requests.answer_approval
    ADD is_detached boolean NOT NULL DEFAULT false,
    DROP CONSTRAINT answer_approval_signature,
    ADD CONSTRAINT answer_approval_signature
        CHECK (octet_length(signature) <= 65536 AND (octet_length(signature) > 0 OR NOT is_detached)) NOT VALID;

-- Two erasures that write the same digest wait for each other and for who removes it, in the order of the digests: whichever is last
-- leaves a row.
CREATE OR REPLACE FUNCTION requests.erase(erased uuid[]) RETURNS SETOF bytea LANGUAGE plpgsql SECURITY DEFINER
SET search_path = requests, pg_temp AS $$
DECLARE
    due uuid[] := (SELECT array_agg(r.id) FROM requests.request AS r JOIN requests.erasure AS e ON e.request = r.id
                   WHERE r.id = ANY (erased) AND r.erased_at IS NULL);
BEGIN
    RETURN QUERY SELECT DISTINCT a.sha256 FROM requests.attachment AS a WHERE a.request = ANY (due) AND NOT a.erased;
    INSERT INTO requests.erased_content AS c (sha256, erased_at)
    SELECT DISTINCT a.sha256, now() FROM requests.attachment AS a WHERE a.request = ANY (due) AND NOT a.erased ORDER BY 1
    ON CONFLICT ON CONSTRAINT erased_content_key DO UPDATE SET erased_at = EXCLUDED.erased_at;
    DELETE FROM requests.attachment_signer AS s USING requests.attachment AS a WHERE a.id = s.attachment AND a.request = ANY (due);
    UPDATE requests.attachment SET filename = '', sha256 = decode(repeat('00', 32), 'hex'), erased = true WHERE request = ANY (due);
    UPDATE requests.item SET description = '' WHERE request = ANY (due);
    UPDATE requests.clarification SET text_kk = '', text_ru = '', text_en = '' WHERE request = ANY (due) AND decision IS NOT NULL;
    UPDATE requests.changed_field SET before = '', after = '' WHERE request = ANY (due);
    UPDATE requests.decision SET reason = '', to_body = CASE WHEN to_body IS NOT NULL THEN '' END WHERE request = ANY (due);
    UPDATE requests.answer SET canonical = '', submission_sha256 = NULL WHERE request = ANY (due);
    UPDATE requests.answer_approval SET signature = '' WHERE request = ANY (due) AND NOT is_detached;
    UPDATE requests.dispatch SET proof = '' WHERE request = ANY (due);
    UPDATE requests.request AS r
    SET erased_at = e.erased_at, changed_at = greatest(r.changed_at, e.erased_at), external_number = NULL, external_date = NULL,
        addressee = '', essence = '', requester_full_name = '', requester_iin = NULL, requester_postal_address = '',
        signatory_full_name = CASE WHEN r.signatory_full_name IS NOT NULL THEN '' END,
        asked = NULL, likely_duplicate_of = NULL, repeats = NULL, examination_pending = false
    FROM requests.erasure AS e WHERE e.request = r.id AND r.id = ANY (due);
END
$$;

-- What was erased before.
UPDATE requests.answer_approval SET signature = '' WHERE request IN (SELECT request FROM requests.erasure);
