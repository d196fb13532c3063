-- The due dates move to the kit's table `scheduled`; an edition has a row of its own only from its first content on, and
-- every file that was ever uploaded stays.
--
-- The previous release, while it still runs beside this schema, finds no due dates: everything about editions and copies
-- fails there with INTERNAL, nothing is answered wrongly or lost, and the rest is read as before. So replace all of it at
-- once. A file that was replaced before is not known any more.

INSERT INTO collections.scheduled
    (parent, period, position, first_day, last_day, due_date, due_time, provisional, assumed, calendar_version, binding,
     met_at)
SELECT 'collections/' || collection, period, 0, period_first_day, period_last_day, due_date, due_time, provisional, assumed,
    calendar_version, true, released_at
FROM collections.edition;

DROP TRIGGER edition_due_date_of_released ON collections.edition;
DROP FUNCTION collections.refuse_due_date_of_released();

CREATE TABLE collections.edition_file (
    number       bigint      GENERATED ALWAYS AS IDENTITY CONSTRAINT edition_file_key PRIMARY KEY,
    collection   text        COLLATE "C" NOT NULL,
    period       text        COLLATE "C" NOT NULL,
    filename     text        NOT NULL CONSTRAINT edition_file_filename CHECK (filename <> ''),
    content_type text        NOT NULL CONSTRAINT edition_file_content_type CHECK (content_type <> ''),
    size_bytes   bigint      NOT NULL CONSTRAINT edition_file_size_bytes CHECK (size_bytes > 0),
    sha256       bytea       NOT NULL CONSTRAINT edition_file_sha256 CHECK (octet_length(sha256) = 32),
    uploaded_at  timestamptz NOT NULL,
    uploaded_by  text        NOT NULL,
    parent       text        COLLATE "C" NOT NULL GENERATED ALWAYS AS ('collections/' || collection) STORED,
    CONSTRAINT edition_file_scheduled FOREIGN KEY (parent, period) REFERENCES collections.scheduled,
    CONSTRAINT edition_file_of_edition UNIQUE (number, collection, period, sha256, uploaded_by)
);
INSERT INTO collections.edition_file
    (collection, period, filename, content_type, size_bytes, sha256, uploaded_at, uploaded_by)
SELECT collection, period, filename, content_type, size_bytes, sha256, uploaded_at, uploaded_by
FROM collections.edition WHERE state <> 'SCHEDULED' ORDER BY uploaded_at;

DELETE FROM collections.edition WHERE state = 'SCHEDULED';
-- The file that counts now. Its digest and who uploaded it stay beside it: copies pin the one, four eyes need the other.
ALTER TABLE collections.edition ADD file bigint;
UPDATE collections.edition e SET file = f.number FROM collections.edition_file f
WHERE (f.collection, f.period) = (e.collection, e.period);

ALTER TABLE collections.edition
    DROP CONSTRAINT edition_state,
    DROP CONSTRAINT edition_content_of_state,
    DROP period_first_day, DROP period_last_day,
    DROP due_date, DROP due_time, DROP provisional, DROP assumed, DROP calendar_version,
    DROP filename, DROP content_type, DROP size_bytes, DROP uploaded_at,
    ALTER file SET NOT NULL, ALTER sha256 SET NOT NULL, ALTER uploaded_by SET NOT NULL,
    ADD parent text COLLATE "C" NOT NULL GENERATED ALWAYS AS ('collections/' || collection) STORED,
    ADD CONSTRAINT edition_state CHECK (state IN ('PREPARED', 'SEALED', 'RELEASED')),
    ADD CONSTRAINT edition_scheduled FOREIGN KEY (parent, period) REFERENCES collections.scheduled,
    ADD CONSTRAINT edition_current_file FOREIGN KEY (file, collection, period, sha256, uploaded_by)
        REFERENCES collections.edition_file (number, collection, period, sha256, uploaded_by);

GRANT SELECT, INSERT ON collections.edition_file TO collections_runtime;
GRANT UPDATE (file) ON collections.edition TO collections_runtime;
