-- The editions of the years `bench.first` to `bench.last`, as the service would have stored them: each is a copy of the edition of
-- its form that was prepared, sealed and placed by calls, with a content hash, a due date and keys of its own.
SET session_replication_role = replica;

CREATE SCHEMA bench;

-- The text behind a content hash, as the contract of `Revision.content_sha256` has it, for a revision with one file.
CREATE FUNCTION bench.content(edition text, number integer, file forms.edition_file, figures bytea) RETURNS bytea LANGUAGE sql AS $$
    SELECT sha256(convert_to(
        E'legalstat-content/1\nedition:' || edition || E'\nrevision:' || number || E'\nfile:' || encode(file.sha256, 'hex') || ' '
        || file.size_bytes || ' ' || file.content_type || ' ' || coalesce(nullif(file.language, ''), '-') || ' '
        || CASE WHEN file.restricted THEN 'restricted' ELSE 'open' END || ' ' || file.filename || E'\nfigures:'
        || coalesce(encode(figures, 'hex'), 'none') || E'\n', 'UTF8'))
$$;

CREATE TABLE bench.edition AS
SELECT s.parent, s.period, e.form, e.period AS model, s.due_date, s.calendar_version,
    s.due_date < (SELECT day FROM forms.answering_day ORDER BY number DESC LIMIT 1) AS not_kept
FROM forms.edition e
JOIN forms.scheduled s ON s.parent = e.parent
WHERE s.binding AND s.period <> e.period
  AND extract(year FROM s.first_day) BETWEEN current_setting('bench.first')::integer AND current_setting('bench.last')::integer;

INSERT INTO forms.revision (form, period, number, replaces, reason, prepared_at, prepared_by, sealed_at, sealed_by, content_sha256,
    figures_sha256, restricted, nil_reason)
SELECT b.form, b.period, r.number, r.replaces, r.reason, r.prepared_at, r.prepared_by, r.sealed_at, r.sealed_by,
    bench.content(b.parent || '/editions/' || b.period, r.number, f, r.figures_sha256), r.figures_sha256, r.restricted, r.nil_reason
FROM bench.edition b
JOIN forms.revision r ON (r.form, r.period) = (b.form, b.model)
JOIN forms.edition_file f ON (f.form, f.period, f.revision) = (r.form, r.period, r.number)
ORDER BY b.due_date, b.form;

INSERT INTO forms.edition_file (form, period, revision, filename, content_type, size_bytes, sha256, uploaded_at, uploaded_by, language,
    restricted)
SELECT b.form, b.period, f.revision, f.filename, f.content_type, f.size_bytes, f.sha256, f.uploaded_at, f.uploaded_by, f.language,
    f.restricted
FROM bench.edition b
JOIN forms.edition_file f ON (f.form, f.period) = (b.form, b.model)
ORDER BY b.due_date, b.form;

INSERT INTO forms.edition (form, period, state, revision, effective)
SELECT b.form, b.period, e.state, e.revision, e.effective
FROM bench.edition b
JOIN forms.edition e ON (e.form, e.period) = (b.form, b.model)
ORDER BY b.due_date, b.form;

INSERT INTO forms.placement (form, period, channel, revision, placed_at, placed_by, address, content_sha256, effective_at, due_date,
    calendar_version, punctuality, late_days)
SELECT b.form, b.period, p.channel, p.revision, p.placed_at, p.placed_by, p.address, r.content_sha256, p.effective_at, b.due_date,
    b.calendar_version, CASE WHEN b.not_kept THEN 'NOT_KEPT' ELSE 'ON_TIME' END, 0
FROM bench.edition b
JOIN forms.placement p ON (p.form, p.period) = (b.form, b.model)
JOIN forms.revision r ON (r.form, r.period, r.number) = (b.form, b.period, p.revision)
ORDER BY b.due_date, b.form;

UPDATE forms.scheduled s
SET met_at = m.met_at, recorded_afterwards = b.not_kept
FROM bench.edition b
JOIN forms.scheduled m ON (m.parent, m.period) = (b.parent, b.model)
WHERE (s.parent, s.period) = (b.parent, b.period);

INSERT INTO forms.figure_set (form, period, revision, rows, sha256, imported_at, imported_by)
SELECT b.form, b.period, f.revision, f.rows, f.sha256, f.imported_at, f.imported_by
FROM bench.edition b
JOIN forms.figure_set f ON (f.form, f.period) = (b.form, b.model)
ORDER BY b.due_date, b.form;

INSERT INTO forms.observation (figure_set, indicator, territory, breakdown, status, value)
SELECT c.id, o.indicator, o.territory, o.breakdown, o.status, o.value
FROM bench.edition b
JOIN forms.figure_set f ON (f.form, f.period) = (b.form, b.model)
JOIN forms.figure_set c ON (c.form, c.period, c.revision) = (b.form, b.period, f.revision)
JOIN forms.observation o ON o.figure_set = f.id
ORDER BY c.id, o.indicator, o.territory, o.breakdown;

SET session_replication_role = origin;
