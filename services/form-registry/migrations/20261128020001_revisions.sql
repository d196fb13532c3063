-- Editions have revisions with several files each; sealing fixes what is placed, and a correction is the next revision.
--
-- The previous release, while it still runs beside this schema, reads what it prepared and placed; what it would upload or place
-- fails there with INTERNAL, and of new editions it finds no file. Nothing is answered wrongly or lost, and nothing under an
-- embargo is served by it. So replace all of it at once.

CREATE TABLE forms.revision (
    form           integer     NOT NULL,
    period         text        NOT NULL,
    parent         text COLLATE "C" NOT NULL GENERATED ALWAYS AS ('forms/' || form::text) STORED,
    -- 1 is the first; a correction makes the next.
    number         integer     NOT NULL CONSTRAINT revision_number CHECK (number > 0),
    -- The revision that this one corrects, and why; the first corrects none.
    replaces       integer     CONSTRAINT revision_replaces CHECK (replaces IS NOT DISTINCT FROM nullif(number - 1, 0)),
    reason         text        NOT NULL CONSTRAINT revision_reason CHECK ((reason = '') = (number = 1)),
    prepared_at    timestamptz NOT NULL,
    prepared_by    text        NOT NULL,
    sealed_at      timestamptz,
    sealed_by      text,
    -- The hash over files and figures, and that of the figures alone; without figures the second stays empty.
    content_sha256 bytea       CONSTRAINT revision_content_sha256 CHECK (octet_length(content_sha256) = 32),
    figures_sha256 bytea       CONSTRAINT revision_figures_sha256 CHECK (octet_length(figures_sha256) = 32),
    -- Whether it holds restricted information (para 2(10)), found when it was sealed.
    restricted     boolean,
    -- Why it was declared that there is nothing to report; it was sealed with that.
    nil_reason     text        CONSTRAINT revision_nil_reason CHECK (nil_reason <> ''),
    CONSTRAINT revision_key PRIMARY KEY (form, period, number),
    CONSTRAINT revision_scheduled FOREIGN KEY (parent, period) REFERENCES forms.scheduled,
    CONSTRAINT revision_replaced FOREIGN KEY (form, period, replaces) REFERENCES forms.revision,
    CONSTRAINT revision_sealed CHECK (num_nulls(sealed_at, sealed_by, content_sha256, restricted) IN (0, 4)),
    CONSTRAINT revision_nil CHECK (nil_reason IS NULL OR (sealed_at IS NOT NULL AND figures_sha256 IS NULL))
);

-- One is in preparation at a time.
CREATE UNIQUE INDEX revision_open ON forms.revision (form, period) WHERE sealed_at IS NULL;

-- Every edition of the earlier releases is its first revision: what was placed counts as sealed by who placed it first.
INSERT INTO forms.revision (form, period, number, reason, prepared_at, prepared_by)
SELECT e.form, e.period, 1, '', f.uploaded_at, f.uploaded_by
FROM forms.edition e
JOIN forms.edition_file f ON f.number = e.file;

ALTER TABLE forms.edition_file
    ADD revision   integer     NOT NULL DEFAULT 1,
    -- `kk`, `ru`, `en` or another code of ISO 639; empty where the content has none.
    ADD language   text        NOT NULL DEFAULT '',
    ADD restricted boolean     NOT NULL DEFAULT false,
    -- When it ceased to be a file of its revision: another took its name, or it was deleted.
    ADD removed_at timestamptz,
    ADD removed_by text,
    ADD CONSTRAINT edition_file_removed CHECK (num_nulls(removed_at, removed_by) IN (0, 2));
UPDATE forms.edition_file f
SET removed_at = n.uploaded_at, removed_by = n.uploaded_by
FROM forms.edition e
JOIN forms.edition_file n ON n.number = e.file
WHERE (f.form, f.period) = (e.form, e.period) AND f.number <> e.file;
ALTER TABLE forms.edition_file
    ALTER revision DROP DEFAULT,
    ADD CONSTRAINT edition_file_revision FOREIGN KEY (form, period, revision) REFERENCES forms.revision;
CREATE UNIQUE INDEX edition_file_name ON forms.edition_file (form, period, revision, filename) WHERE removed_at IS NULL;

-- The content hash, as domain/content.rs writes it down.
UPDATE forms.revision r
SET sealed_at = p.placed_at,
    sealed_by = p.placed_by,
    restricted = false,
    content_sha256 = sha256(convert_to(
        E'legalstat-content/1\nedition:' || r.parent || '/editions/' || r.period || E'\nrevision:1\nfile:'
        || encode(f.sha256, 'hex') || ' ' || f.size_bytes || ' ' || f.content_type || ' - open ' || f.filename
        || E'\nfigures:none\n', 'UTF8'))
FROM forms.edition e
JOIN forms.edition_file f ON f.number = e.file
JOIN LATERAL (
    SELECT p.placed_at, p.placed_by FROM forms.placement p WHERE (p.form, p.period) = (e.form, e.period)
    ORDER BY p.placed_at, p.channel LIMIT 1
) p ON true
WHERE (r.form, r.period) = (e.form, e.period) AND e.state = 'PLACED';

-- What is sealed changes no more, nor do its files.
CREATE FUNCTION forms.refuse_to_change_what_is_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what is sealed changes only by a correction'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'revision_sealed_stays';
END
$$;
CREATE TRIGGER revision_sealed_stays BEFORE UPDATE ON forms.revision
    FOR EACH ROW WHEN (OLD.sealed_at IS NOT NULL) EXECUTE FUNCTION forms.refuse_to_change_what_is_sealed();
CREATE FUNCTION forms.refuse_files_of_what_is_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM forms.revision r
               WHERE (r.form, r.period, r.number) = (NEW.form, NEW.period, NEW.revision) AND r.sealed_at IS NOT NULL) THEN
        RAISE EXCEPTION 'the files of what is sealed change only by a correction'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'revision_sealed_stays';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER edition_file_sealed_stays BEFORE INSERT OR UPDATE ON forms.edition_file
    FOR EACH ROW EXECUTE FUNCTION forms.refuse_files_of_what_is_sealed();

-- The edition says where it stands: `revision` is the last one, `effective` the one that was last placed, declared nil or
-- withdrawn. `file` is the previous release's.
ALTER TABLE forms.edition
    ADD revision  integer NOT NULL DEFAULT 1,
    ADD effective integer,
    ALTER file DROP NOT NULL;
UPDATE forms.edition SET effective = 1 WHERE state = 'PLACED';
ALTER TABLE forms.edition
    DROP CONSTRAINT edition_state,
    ALTER revision DROP DEFAULT,
    ADD CONSTRAINT edition_state CHECK (state IN ('PREPARED', 'SEALED', 'PLACED', 'NIL', 'WITHDRAWN')),
    ADD CONSTRAINT edition_effective CHECK ((effective IS NULL) = (state IN ('PREPARED', 'SEALED'))),
    ADD CONSTRAINT edition_effective_or_later CHECK (revision >= effective),
    ADD CONSTRAINT edition_revision FOREIGN KEY (form, period, revision) REFERENCES forms.revision,
    ADD CONSTRAINT edition_effective_revision FOREIGN KEY (form, period, effective) REFERENCES forms.revision;

-- A placement is a record of its own: which revision, where, by when it was due, and how late.
ALTER TABLE forms.placement
    ADD revision         integer NOT NULL DEFAULT 1,
    ADD address          text    NOT NULL DEFAULT '',
    ADD content_sha256   bytea   CONSTRAINT placement_content_sha256 CHECK (octet_length(content_sha256) = 32),
    -- When it was out: at once, or when the embargo ended.
    ADD effective_at     timestamptz,
    ADD due_date         date,
    ADD calendar_version text,
    -- Days from the due date to the day on which it was out; 0 when on time.
    ADD late_days        integer;
UPDATE forms.placement p
SET content_sha256 = r.content_sha256,
    effective_at = p.placed_at,
    due_date = s.due_date,
    calendar_version = s.calendar_version,
    late_days = CASE p.punctuality WHEN 'LATE'
        THEN greatest(1, (p.placed_at AT TIME ZONE 'Asia/Almaty')::date - s.due_date) ELSE 0 END
FROM forms.revision r
JOIN forms.scheduled s ON (s.parent, s.period) = (r.parent, r.period)
WHERE (r.form, r.period, r.number) = (p.form, p.period, 1);
ALTER TABLE forms.placement
    DROP CONSTRAINT placement_key,
    ALTER revision DROP DEFAULT,
    ALTER address DROP DEFAULT,
    ALTER content_sha256 SET NOT NULL,
    ALTER effective_at SET NOT NULL,
    ALTER due_date SET NOT NULL,
    ALTER calendar_version SET NOT NULL,
    ALTER late_days SET NOT NULL,
    ADD CONSTRAINT placement_key PRIMARY KEY (form, period, channel, revision),
    ADD CONSTRAINT placement_late_days CHECK ((late_days > 0) = (punctuality = 'LATE')),
    ADD CONSTRAINT placement_effective_at CHECK (effective_at >= placed_at),
    ADD CONSTRAINT placement_revision FOREIGN KEY (form, period, revision) REFERENCES forms.revision;
CREATE INDEX placement_order ON forms.placement (placed_at, form, period, channel, revision);

-- What was taken back, and why. Every sealed revision up to this one is.
CREATE TABLE forms.withdrawal (
    form         integer     NOT NULL,
    period       text        NOT NULL,
    revision     integer     NOT NULL,
    reason       text        NOT NULL CONSTRAINT withdrawal_reason CHECK (reason <> ''),
    withdrawn_at timestamptz NOT NULL,
    withdrawn_by text        NOT NULL,
    CONSTRAINT withdrawal_key PRIMARY KEY (form, period, revision),
    CONSTRAINT withdrawal_revision FOREIGN KEY (form, period, revision) REFERENCES forms.revision
);

-- Until when nothing of an edition is shown. The last row of an edition counts; one without an instant lifts what was before.
CREATE TABLE forms.embargo (
    number bigint      GENERATED ALWAYS AS IDENTITY CONSTRAINT embargo_key PRIMARY KEY,
    form   integer     NOT NULL,
    period text        NOT NULL,
    parent text COLLATE "C" NOT NULL GENERATED ALWAYS AS ('forms/' || form::text) STORED,
    until  timestamptz,
    reason text        NOT NULL CONSTRAINT embargo_reason CHECK (reason <> ''),
    set_at timestamptz NOT NULL,
    set_by text        NOT NULL,
    CONSTRAINT embargo_scheduled FOREIGN KEY (parent, period) REFERENCES forms.scheduled
);
CREATE INDEX embargo_edition ON forms.embargo (form, period, number);

-- Who may read an edition before its embargo ends, by the name in the certificate, and by which law.
CREATE TABLE forms.pre_release (
    embargo               bigint  NOT NULL CONSTRAINT pre_release_embargo REFERENCES forms.embargo,
    caller                text    NOT NULL CONSTRAINT pre_release_caller CHECK (caller <> ''),
    legal_basis_act       text    NOT NULL CONSTRAINT pre_release_legal_basis CHECK (legal_basis_act <> ''),
    legal_basis_provision text    NOT NULL,
    legal_basis_uri       text    NOT NULL,
    legal_basis_assumed   boolean NOT NULL,
    CONSTRAINT pre_release_key PRIMARY KEY (embargo, caller)
);

-- What the runtime role may.
GRANT SELECT ON forms.revision, forms.withdrawal, forms.embargo, forms.pre_release TO forms_runtime;
GRANT INSERT (form, period, number, replaces, reason, prepared_at, prepared_by, sealed_at, sealed_by, content_sha256,
              figures_sha256, restricted, nil_reason) ON forms.revision TO forms_runtime;
GRANT UPDATE (sealed_at, sealed_by, content_sha256, figures_sha256, restricted, nil_reason) ON forms.revision TO forms_runtime;
GRANT INSERT ON forms.withdrawal, forms.pre_release TO forms_runtime;
GRANT INSERT (form, period, until, reason, set_at, set_by) ON forms.embargo TO forms_runtime;
GRANT INSERT (revision, language, restricted), UPDATE (removed_at, removed_by) ON forms.edition_file TO forms_runtime;
GRANT UPDATE (state, revision, effective) ON forms.edition TO forms_runtime;
