-- A revision has several files, may be marked for official use and be under an embargo; its seal fixes all of that.
--
-- The previous release goes on beside this schema. What it uploads becomes the only file of its revision. A revision of several files, one
-- that is marked, and one whose embargo has not ended it cannot release, nor serve copies of several files: it answers INTERNAL there
-- until it is replaced. What copies must hold to is checked for those of earlier releases by the next migration.

ALTER TABLE collections.edition_file
    -- `kk`, `ru`, `en`, or empty for all languages or none.
    ADD language text COLLATE "C" NOT NULL DEFAULT ''
        CONSTRAINT edition_file_language CHECK (language IN ('', 'kk', 'ru', 'en')),
    ADD CONSTRAINT edition_file_by_name UNIQUE (number, collection, period, filename),
    ADD CONSTRAINT edition_file_by_person UNIQUE (number, collection, period, uploaded_by);

ALTER TABLE collections.edition
    ADD marking text COLLATE "C" NOT NULL DEFAULT 'OPEN'
        CONSTRAINT edition_marking CHECK (marking IN ('OPEN', 'OFFICIAL_USE')),
    ADD marking_copies integer CONSTRAINT edition_marking_copies CHECK (marking_copies > 0),
    ADD marking_reason text CONSTRAINT edition_marking_reason CHECK (marking_reason <> ''),
    -- The last day on which the marking holds; null while no end is known.
    ADD marking_expires_on date,
    -- The revision is not released before; null where it may be at any time.
    ADD embargo_until timestamptz,
    ADD CONSTRAINT edition_marking_whole CHECK (CASE marking
        WHEN 'OPEN' THEN num_nonnulls(marking_copies, marking_reason, marking_expires_on) = 0
        ELSE num_nonnulls(marking_copies, marking_reason) = 2 END),
    ADD CONSTRAINT edition_embargo CHECK (coalesce(partly_released_at, released_at) >= embargo_until),
    -- `sha256` is the digest of all files together, and `file` the first of them.
    DROP CONSTRAINT edition_current_file,
    ADD CONSTRAINT edition_first_file FOREIGN KEY (file, collection, period, uploaded_by)
        REFERENCES collections.edition_file (number, collection, period, uploaded_by);

ALTER TABLE collections.revision
    ADD marking text COLLATE "C" NOT NULL DEFAULT 'OPEN',
    ADD marking_copies integer,
    ADD marking_reason text,
    ADD marking_expires_on date,
    ADD embargo_until timestamptz,
    DROP CONSTRAINT revision_file,
    ADD CONSTRAINT revision_first_file FOREIGN KEY (file, collection, period, uploaded_by)
        REFERENCES collections.edition_file (number, collection, period, uploaded_by),
    ADD CONSTRAINT revision_content_as_marked UNIQUE (collection, period, revision, sha256, marking);

-- The files of each revision; those that were replaced or removed stay in `edition_file` alone.
CREATE TABLE collections.revision_file (
    collection text    COLLATE "C" NOT NULL,
    period     text    COLLATE "C" NOT NULL,
    revision   integer NOT NULL,
    filename   text    NOT NULL,
    file       bigint  NOT NULL,
    CONSTRAINT revision_file_key PRIMARY KEY (collection, period, revision, filename),
    CONSTRAINT revision_file_of_revision FOREIGN KEY (collection, period, revision) REFERENCES collections.revision,
    CONSTRAINT revision_file_uploaded FOREIGN KEY (file, collection, period, filename)
        REFERENCES collections.edition_file (number, collection, period, filename)
);
INSERT INTO collections.revision_file (collection, period, revision, filename, file)
SELECT r.collection, r.period, r.revision, f.filename, f.number
FROM collections.revision r JOIN collections.edition_file f ON f.number = r.file;

CREATE FUNCTION collections.refuse_files_of_sealed() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = collections, pg_temp AS $$
DECLARE
    changed revision_file := CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
BEGIN
    IF EXISTS (
        SELECT FROM revision r
        WHERE (r.collection, r.period, r.revision) = (changed.collection, changed.period, changed.revision) AND r.state <> 'PREPARED')
    THEN
        RAISE check_violation USING CONSTRAINT = 'revision_file_of_sealed', MESSAGE = 'the seal fixes the files of a revision';
    END IF;
    RETURN changed;
END
$$;
CREATE TRIGGER revision_file_of_sealed BEFORE INSERT OR UPDATE OR DELETE ON collections.revision_file
    FOR EACH ROW EXECUTE FUNCTION collections.refuse_files_of_sealed();

-- As before, and: the seal fixes what is sealed, and nobody releases a file that the same person uploaded.
CREATE OR REPLACE FUNCTION collections.keep_revision() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = collections, pg_temp AS $$
BEGIN
    IF (TG_OP = 'INSERT' AND NEW.revision <> 1)
        OR (TG_OP = 'UPDATE' AND NEW.revision <> OLD.revision + (OLD.state = 'RECALLED')::integer)
    THEN
        RAISE check_violation USING CONSTRAINT = 'edition_next_revision',
            MESSAGE = 'a revision follows the one that was recalled, and nothing else of that one changes';
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.state <> 'PREPARED' AND NEW.revision = OLD.revision
        AND (NEW.file, NEW.sha256, NEW.marking, NEW.marking_copies, NEW.marking_reason, NEW.marking_expires_on, NEW.embargo_until)
            IS DISTINCT FROM
            (OLD.file, OLD.sha256, OLD.marking, OLD.marking_copies, OLD.marking_reason, OLD.marking_expires_on, OLD.embargo_until)
    THEN
        RAISE check_violation USING CONSTRAINT = 'edition_sealed_stays',
            MESSAGE = 'the seal fixes the files, the marking and the embargo of a revision';
    END IF;
    INSERT INTO revision
        (collection, period, revision, state, file, sha256, uploaded_by, sealed_at, sealed_by, partly_released_at,
         partly_released_by, released_at, released_by, recalled_at, recalled_by, recall_reason, marking, marking_copies,
         marking_reason, marking_expires_on, embargo_until)
    VALUES
        (NEW.collection, NEW.period, NEW.revision, NEW.state, NEW.file, NEW.sha256, NEW.uploaded_by, NEW.sealed_at,
         NEW.sealed_by, NEW.partly_released_at, NEW.partly_released_by, NEW.released_at, NEW.released_by, NEW.recalled_at,
         NEW.recalled_by, NEW.recall_reason, NEW.marking, NEW.marking_copies, NEW.marking_reason, NEW.marking_expires_on,
         NEW.embargo_until)
    ON CONFLICT (collection, period, revision) DO UPDATE
    SET (state, file, sha256, uploaded_by, sealed_at, sealed_by, partly_released_at, partly_released_by, released_at,
         released_by, recalled_at, recalled_by, recall_reason, marking, marking_copies, marking_reason, marking_expires_on,
         embargo_until)
        = (EXCLUDED.state, EXCLUDED.file, EXCLUDED.sha256, EXCLUDED.uploaded_by, EXCLUDED.sealed_at, EXCLUDED.sealed_by,
           EXCLUDED.partly_released_at, EXCLUDED.partly_released_by, EXCLUDED.released_at, EXCLUDED.released_by,
           EXCLUDED.recalled_at, EXCLUDED.recalled_by, EXCLUDED.recall_reason, EXCLUDED.marking, EXCLUDED.marking_copies,
           EXCLUDED.marking_reason, EXCLUDED.marking_expires_on, EXCLUDED.embargo_until);
    IF NEW.state = 'PREPARED' THEN
        -- A digest that is the file's own says that it is the only one: so writes the previous release, which knows of no others.
        DELETE FROM revision_file f
        WHERE (f.collection, f.period, f.revision) = (NEW.collection, NEW.period, NEW.revision) AND f.file <> NEW.file
            AND EXISTS (SELECT FROM edition_file e WHERE e.number = NEW.file AND e.sha256 = NEW.sha256);
        INSERT INTO revision_file (collection, period, revision, filename, file)
        SELECT NEW.collection, NEW.period, NEW.revision, e.filename, e.number FROM edition_file e WHERE e.number = NEW.file
        ON CONFLICT (collection, period, revision, filename) DO UPDATE SET file = EXCLUDED.file
        WHERE revision_file.file <> EXCLUDED.file;
    ELSIF NEW.state = 'SEALED' AND NOT EXISTS (
        SELECT FROM revision_file f JOIN edition_file e ON e.number = f.file
        WHERE (f.collection, f.period, f.revision) = (NEW.collection, NEW.period, NEW.revision)
        HAVING count(*) > 1 OR bool_and(e.sha256 = NEW.sha256))
    THEN
        RAISE check_violation USING CONSTRAINT = 'edition_digest_of_file',
            MESSAGE = 'the digest of a revision with one file is that of the file';
    ELSIF EXISTS (
        SELECT FROM revision_file f JOIN edition_file e ON e.number = f.file
        WHERE (f.collection, f.period, f.revision) = (NEW.collection, NEW.period, NEW.revision)
            AND e.uploaded_by IN (NEW.partly_released_by, NEW.released_by))
    THEN
        RAISE check_violation USING CONSTRAINT = 'edition_four_eyes', MESSAGE = 'who uploaded a file does not release it';
    END IF;
    RETURN NULL;
END
$$;

-- A copy is marked as its revision, which it pins together with the content.
ALTER TABLE collections.copy
    ADD marking text COLLATE "C" NOT NULL DEFAULT 'OPEN',
    DROP CONSTRAINT copy_content,
    ADD CONSTRAINT copy_content FOREIGN KEY (collection, period, revision, sha256, marking)
        REFERENCES collections.revision (collection, period, revision, sha256, marking) NOT VALID;

GRANT INSERT (language) ON collections.edition_file TO collections_runtime;
GRANT SELECT, INSERT, UPDATE, DELETE ON collections.revision_file TO collections_runtime;
GRANT UPDATE (marking, marking_copies, marking_reason, marking_expires_on, embargo_until) ON collections.edition TO collections_runtime;
