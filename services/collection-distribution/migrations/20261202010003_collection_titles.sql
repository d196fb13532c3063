-- What a collection is called from a day on. The title of the register holds until the first of them; the previous release goes on
-- showing that one.

-- Nothing is changed in place: a correction supersedes a row and writes another.
CREATE TABLE collections.collection_title (
    number        bigint      GENERATED ALWAYS AS IDENTITY CONSTRAINT collection_title_key PRIMARY KEY,
    collection    text        COLLATE "C" NOT NULL CONSTRAINT collection_title_collection REFERENCES collections.collection,
    title_kk      text        NOT NULL,
    title_ru      text        NOT NULL,
    title_en      text        NOT NULL,
    valid_from    date        NOT NULL,
    reason        text        NOT NULL,
    recorded_at   timestamptz NOT NULL,
    recorded_by   text        NOT NULL,
    -- Null while the row counts.
    superseded_at timestamptz CONSTRAINT collection_title_superseded CHECK (superseded_at >= recorded_at),
    CONSTRAINT collection_title_shown CHECK (title_kk <> '' OR title_ru <> '' OR title_en <> '')
);
CREATE UNIQUE INDEX collection_title_day ON collections.collection_title (collection, valid_from) WHERE superseded_at IS NULL;

GRANT SELECT ON collections.collection_title TO collections_runtime;
GRANT INSERT (collection, title_kk, title_ru, title_en, valid_from, reason, recorded_at, recorded_by)
    ON collections.collection_title TO collections_runtime;
GRANT UPDATE (superseded_at) ON collections.collection_title TO collections_runtime;
