-- When a document was sent, as the system that brings it says: document systems carry it beside the number and the date. Null where nobody
-- said, and of requests of before. A replica of the release before neither reads nor writes it. It is erased with the number and the date,
-- for its sender knows a document by it as well; no row is there yet that the constraint would have to look at.

ALTER TABLE requests.request
    ADD sent_at timestamptz,
    ADD CONSTRAINT request_erased_sent_at CHECK (erased_at IS NULL OR sent_at IS NULL) NOT VALID;

GRANT INSERT (sent_at) ON requests.request TO requests_runtime;

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
        sent_at = NULL, addressee = '', essence = '', requester_full_name = '', requester_iin = NULL, requester_postal_address = '',
        signatory_full_name = CASE WHEN r.signatory_full_name IS NOT NULL THEN '' END,
        asked = NULL, likely_duplicate_of = NULL, repeats = NULL, examination_pending = false
    FROM requests.erasure AS e WHERE e.request = r.id AND r.id = ANY (due);
END
$$;
