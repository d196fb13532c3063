-- The database keeps all of what is sealed by itself: its figures row by row, and beside them its files, its placements and its
-- open data packages. The previous release goes on as it did: it changes nothing of what is sealed.

-- Whether a revision is sealed. Its row is held until the transaction ends: who seals it meanwhile waits, and who seals it now is
-- waited for.
CREATE FUNCTION forms.is_sealed(form integer, period text, revision integer) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    sealed boolean;
BEGIN
    -- A condition would leave out, and not hold, a revision that somebody is just sealing.
    SELECT r.sealed_at IS NOT NULL INTO sealed FROM forms.revision r
    WHERE (r.form, r.period, r.number) = ($1, $2, $3) FOR SHARE;
    RETURN coalesce(sealed, false);
END
$$;

-- Once for each statement, so that a COPY pays for it once and not for each of its rows.
CREATE FUNCTION forms.refuse_to_change_sealed_observations() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Materialized, so that the revisions of these figures alone are held.
    IF EXISTS (WITH touched AS MATERIALIZED (
                   SELECT f.form, f.period, f.revision FROM (SELECT DISTINCT figure_set FROM changed) c
                   JOIN forms.figure_set f ON f.id = c.figure_set
               )
               SELECT FROM touched t WHERE forms.is_sealed(t.form, t.period, t.revision)) THEN
        RAISE EXCEPTION 'the figures of what is sealed change only by a correction'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'observation_sealed_stays';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER observation_sealed_takes_none AFTER INSERT ON forms.observation REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION forms.refuse_to_change_sealed_observations();
CREATE TRIGGER observation_sealed_loses_none AFTER DELETE ON forms.observation REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION forms.refuse_to_change_sealed_observations();
CREATE TRIGGER observation_sealed_is_none_other AFTER UPDATE ON forms.observation REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION forms.refuse_to_change_sealed_observations();
CREATE TRIGGER observation_sealed_is_given_none AFTER UPDATE ON forms.observation REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION forms.refuse_to_change_sealed_observations();

CREATE OR REPLACE FUNCTION forms.refuse_to_change_sealed_figures() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (TG_OP <> 'INSERT' AND forms.is_sealed(OLD.form, OLD.period, OLD.revision))
        OR (TG_OP <> 'DELETE' AND forms.is_sealed(NEW.form, NEW.period, NEW.revision)) THEN
        RAISE EXCEPTION 'the figures of what is sealed change only by a correction'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'figure_set_sealed_stays';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;

CREATE OR REPLACE FUNCTION forms.refuse_files_of_what_is_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (TG_OP <> 'INSERT' AND forms.is_sealed(OLD.form, OLD.period, OLD.revision))
        OR (TG_OP <> 'DELETE' AND forms.is_sealed(NEW.form, NEW.period, NEW.revision)) THEN
        RAISE EXCEPTION 'the files of what is sealed change only by a correction'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'revision_sealed_stays';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;
DROP TRIGGER edition_file_sealed_stays ON forms.edition_file;
CREATE TRIGGER edition_file_sealed_stays BEFORE INSERT OR UPDATE OR DELETE ON forms.edition_file
    FOR EACH ROW EXECUTE FUNCTION forms.refuse_files_of_what_is_sealed();

-- A placement is the record of what was sealed, under its hash, and restricted information has none (para 2(10)).
CREATE FUNCTION forms.refuse_to_place_what_is_not_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM forms.revision r
                   WHERE (r.form, r.period, r.number, r.content_sha256) = (NEW.form, NEW.period, NEW.revision, NEW.content_sha256)
                     AND NOT r.restricted AND r.nil_reason IS NULL) THEN
        RAISE EXCEPTION 'only what is sealed and open is placed, under its hash'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'placement_of_sealed';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER placement_of_sealed BEFORE INSERT ON forms.placement
    FOR EACH ROW EXECUTE FUNCTION forms.refuse_to_place_what_is_not_sealed();

-- A package comes with all of its files at once: its digest is over them, so that none can join it later.
CREATE FUNCTION forms.refuse_files_beside_a_package() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM (SELECT DISTINCT form, period, version FROM added) a
               JOIN forms.open_data_package p USING (form, period, version)
               WHERE p.sha256 <> (SELECT sha256(convert_to(string_agg(encode(f.sha256, 'hex') || '  ' || f.path || E'\n', ''
                                                                      ORDER BY f.path COLLATE "C"), 'UTF8'))
                                  FROM forms.open_data_file f
                                  WHERE (f.form, f.period, f.version) = (p.form, p.period, p.version))) THEN
        RAISE EXCEPTION 'the files of a package are those of its digest'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'open_data_file_of_digest';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER open_data_file_of_digest AFTER INSERT ON forms.open_data_file REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION forms.refuse_files_beside_a_package();
