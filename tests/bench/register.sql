-- Copies of editions as the service would have stored them: `bench.year` has 29 of each of its editions, of which each first one waits,
-- and the other years make up `bench.copies` together. The statement is that of the copy `bench.model`: nobody verifies these.
SET session_replication_role = replica;

INSERT INTO collections.answering_day (number, day, reason, set_at, set_by)
SELECT max(number) + 1, '2019-04-15', 'measured', now(), 'bench' FROM collections.answering_day;

CREATE SCHEMA bench;
CREATE TABLE bench.edition AS
SELECT substr(s.parent, 13) COLLATE "C" AS collection, s.parent, s.period, s.due_time - interval '5 days' AS released_at,
    extract(year FROM s.first_day) = current_setting('bench.year')::integer AS is_asked
FROM collections.scheduled s
WHERE s.binding AND NOT EXISTS (SELECT FROM collections.edition e WHERE (e.parent, e.period) = (s.parent, s.period));

INSERT INTO collections.edition_file (collection, period, filename, content_type, size_bytes, sha256, uploaded_at, uploaded_by)
SELECT b.collection, b.period, f.filename, f.content_type, f.size_bytes, f.sha256, b.released_at, f.uploaded_by
FROM bench.edition b, (SELECT * FROM collections.edition_file LIMIT 1) AS f;

INSERT INTO collections.revision
    (collection, period, revision, state, file, sha256, uploaded_by, sealed_at, sealed_by, released_at, released_by)
SELECT b.collection, b.period, 1, 'RELEASED', f.number, f.sha256, f.uploaded_by, b.released_at, 'operator', b.released_at, 'approver'
FROM bench.edition b JOIN collections.edition_file f USING (collection, period);
INSERT INTO collections.edition
    (collection, period, revision, state, file, sha256, uploaded_by, sealed_at, sealed_by, released_at, released_by)
SELECT r.collection, r.period, r.revision, r.state, r.file, r.sha256, r.uploaded_by, r.sealed_at, r.sealed_by, r.released_at, r.released_by
FROM collections.revision r JOIN bench.edition b ON (b.collection, b.period) = (r.collection, r.period);

INSERT INTO collections.copy
    (collection, period, revision, number, recipient, sha256, state, issued_at, received_at, legal_basis_act, legal_basis_provision,
     legal_basis_uri, legal_basis_assumed, ordinal, copies_total, copy_sha256, signing_key, signature, sending_body, list_version)
SELECT b.collection, b.period, 1, n, r.ids[1 + n % cardinality(r.ids)], m.sha256,
    CASE WHEN b.is_asked AND n = 1 THEN 'ISSUED' ELSE 'RECEIVED' END, b.released_at,
    CASE WHEN NOT (b.is_asked AND n = 1) THEN b.released_at + interval '1 day' END,
    m.legal_basis_act, m.legal_basis_provision, m.legal_basis_uri, m.legal_basis_assumed, n, e.copies, m.copy_sha256, m.signing_key,
    m.signature, m.sending_body, m.list_version
FROM bench.edition b
CROSS JOIN (SELECT * FROM collections.copy LIMIT 1) AS m
CROSS JOIN (SELECT array_agg(id ORDER BY id) AS ids FROM collections.recipient WHERE appendix_column IS NOT NULL) AS r
CROSS JOIN LATERAL (
    SELECT CASE WHEN b.is_asked THEN 29
        ELSE current_setting('bench.copies')::integer / (SELECT count(*) FROM bench.edition WHERE NOT is_asked) END::integer AS copies
) AS e
CROSS JOIN LATERAL generate_series(1, e.copies) AS n
ORDER BY b.collection, b.period, n;

UPDATE collections.scheduled s SET met_at = b.released_at FROM bench.edition b WHERE (s.parent, s.period) = (b.parent, b.period);

SET session_replication_role = origin;
