-- The collections of Appendix 1 with their recipients: who gets how many copies, when each edition is due, which copies were issued and received.

CREATE TABLE collections.collection (
    id                           text    COLLATE "C" NOT NULL CONSTRAINT collection_key PRIMARY KEY
        CONSTRAINT collection_id CHECK (id ~ '^[a-z][a-z0-9-]*$'),
    appendix_row                 integer NOT NULL CONSTRAINT collection_appendix_row CHECK (appendix_row > 0),
    title_en                     text    NOT NULL,
    title_kk                     text    NOT NULL,
    title_ru                     text    NOT NULL,
    periodicity                  text    NOT NULL CONSTRAINT collection_periodicity
        CHECK (periodicity IN ('QUARTERLY', 'HALF_YEAR_AND_YEAR')),
    due_day                      integer NOT NULL CONSTRAINT collection_due_day CHECK (due_day BETWEEN 1 AND 28),
    roll_forward                 boolean NOT NULL,
    roll_forward_basis_act       text    NOT NULL,
    roll_forward_basis_provision text    NOT NULL,
    roll_forward_basis_uri       text    NOT NULL,
    roll_forward_basis_assumed   boolean NOT NULL,
    copies_total                 integer NOT NULL CONSTRAINT collection_copies_total CHECK (copies_total > 0),
    legal_basis_act              text    NOT NULL,
    legal_basis_provision        text    NOT NULL,
    legal_basis_uri              text    NOT NULL,
    legal_basis_assumed          boolean NOT NULL,
    valid_from                   date    NOT NULL,
    valid_to                     date    CONSTRAINT collection_validity CHECK (valid_to >= valid_from)
);

CREATE TABLE collections.recipient (
    id                    text    COLLATE "C" NOT NULL CONSTRAINT recipient_key PRIMARY KEY
        CONSTRAINT recipient_id CHECK (id ~ '^[a-z][a-z0-9-]*$'),
    -- Null for a heading over several columns, which itself receives nothing.
    appendix_column       integer CONSTRAINT recipient_appendix_column CHECK (appendix_column > 1),
    name_en               text    NOT NULL,
    name_kk               text    NOT NULL,
    name_ru               text    NOT NULL,
    parent                text    COLLATE "C" CONSTRAINT recipient_parent REFERENCES collections.recipient,
    legal_basis_act       text    NOT NULL,
    legal_basis_provision text    NOT NULL,
    legal_basis_uri       text    NOT NULL,
    legal_basis_assumed   boolean NOT NULL,
    valid_from            date    NOT NULL,
    valid_to              date    CONSTRAINT recipient_validity CHECK (valid_to >= valid_from)
);

CREATE TABLE collections.distribution_cell (
    collection            text    COLLATE "C" NOT NULL CONSTRAINT distribution_cell_collection REFERENCES collections.collection,
    appendix_column       integer NOT NULL CONSTRAINT distribution_cell_appendix_column CHECK (appendix_column > 1),
    recipient             text    COLLATE "C" NOT NULL CONSTRAINT distribution_cell_recipient REFERENCES collections.recipient,
    -- Null when the text does not tell.
    copies                integer CONSTRAINT distribution_cell_copies CHECK (copies >= 0),
    legal_basis_act       text    NOT NULL,
    legal_basis_provision text    NOT NULL,
    legal_basis_uri       text    NOT NULL,
    legal_basis_assumed   boolean NOT NULL,
    valid_from            date    NOT NULL,
    valid_to              date    CONSTRAINT distribution_cell_validity CHECK (valid_to >= valid_from),
    CONSTRAINT distribution_cell_key PRIMARY KEY (collection, appendix_column, valid_from)
);

CREATE TABLE collections.unresolved_group (
    collection            text    COLLATE "C" NOT NULL CONSTRAINT unresolved_group_collection REFERENCES collections.collection,
    first_column          integer NOT NULL,
    last_column           integer NOT NULL CONSTRAINT unresolved_group_columns CHECK (last_column >= first_column),
    copies                integer NOT NULL CONSTRAINT unresolved_group_copies CHECK (copies > 0),
    legal_basis_act       text    NOT NULL,
    legal_basis_provision text    NOT NULL,
    legal_basis_uri       text    NOT NULL,
    legal_basis_assumed   boolean NOT NULL,
    valid_from            date    NOT NULL,
    valid_to              date    CONSTRAINT unresolved_group_validity CHECK (valid_to >= valid_from),
    CONSTRAINT unresolved_group_key PRIMARY KEY (collection, first_column, valid_from)
);

CREATE TABLE collections.edition (
    collection       text        COLLATE "C" NOT NULL CONSTRAINT edition_collection REFERENCES collections.collection,
    period           text        COLLATE "C" NOT NULL,
    period_first_day date        NOT NULL,
    period_last_day  date        NOT NULL CONSTRAINT edition_period CHECK (period_last_day > period_first_day),
    due_date         date        NOT NULL CONSTRAINT edition_due_date CHECK (due_date > period_last_day),
    due_time         timestamptz NOT NULL,
    provisional      boolean     NOT NULL,
    assumed          boolean     NOT NULL,
    calendar_version text        NOT NULL,
    state            text        NOT NULL CONSTRAINT edition_state
        CHECK (state IN ('SCHEDULED', 'PREPARED', 'SEALED', 'RELEASED')),
    filename         text        CONSTRAINT edition_filename CHECK (filename <> ''),
    content_type     text        CONSTRAINT edition_content_type CHECK (content_type <> ''),
    size_bytes       bigint      CONSTRAINT edition_size_bytes CHECK (size_bytes > 0),
    sha256           bytea       CONSTRAINT edition_sha256 CHECK (octet_length(sha256) = 32),
    uploaded_at      timestamptz,
    uploaded_by      text,
    sealed_at        timestamptz,
    sealed_by        text,
    released_at      timestamptz,
    released_by      text,
    CONSTRAINT edition_key PRIMARY KEY (collection, period),
    CONSTRAINT edition_content_of_state CHECK (
        num_nonnulls(filename, content_type, size_bytes, sha256, uploaded_at, uploaded_by)
            = CASE WHEN state = 'SCHEDULED' THEN 0 ELSE 6 END),
    CONSTRAINT edition_seal_of_state CHECK (
        num_nonnulls(sealed_at, sealed_by) = CASE WHEN state IN ('SEALED', 'RELEASED') THEN 2 ELSE 0 END),
    CONSTRAINT edition_release_of_state CHECK (
        num_nonnulls(released_at, released_by) = CASE WHEN state = 'RELEASED' THEN 2 ELSE 0 END),
    CONSTRAINT edition_four_eyes CHECK (released_by <> sealed_by AND released_by <> uploaded_by),
    CONSTRAINT edition_content UNIQUE (collection, period, sha256)
);
CREATE INDEX edition_schedule ON collections.edition (due_date, collection, period);

CREATE TABLE collections.copy (
    collection  text        COLLATE "C" NOT NULL,
    period      text        COLLATE "C" NOT NULL,
    number      integer     NOT NULL CONSTRAINT copy_number CHECK (number > 0),
    recipient   text        COLLATE "C" NOT NULL CONSTRAINT copy_recipient REFERENCES collections.recipient,
    sha256      bytea       NOT NULL,
    state       text        NOT NULL CONSTRAINT copy_state CHECK (state IN ('ISSUED', 'RECEIVED')),
    -- The law of the cell that entitles the recipient, as it stood when the copy was issued.
    legal_basis_act       text    NOT NULL,
    legal_basis_provision text    NOT NULL,
    legal_basis_uri       text    NOT NULL,
    legal_basis_assumed   boolean NOT NULL,
    issued_at   timestamptz NOT NULL,
    received_at timestamptz CONSTRAINT copy_receipt_of_state CHECK ((received_at IS NOT NULL) = (state = 'RECEIVED')),
    CONSTRAINT copy_key PRIMARY KEY (collection, period, number),
    -- Once a copy is issued, the content of its edition can no longer change.
    CONSTRAINT copy_content FOREIGN KEY (collection, period, sha256)
        REFERENCES collections.edition (collection, period, sha256)
);
CREATE INDEX copy_of_recipient ON collections.copy (recipient, collection, period, number);

GRANT SELECT, INSERT ON collections.collection, collections.recipient, collections.distribution_cell,
    collections.unresolved_group, collections.edition, collections.copy TO collections_runtime;
GRANT UPDATE (state, filename, content_type, size_bytes, sha256, uploaded_at, uploaded_by, sealed_at, sealed_by,
    released_at, released_by) ON collections.edition TO collections_runtime;
GRANT UPDATE (state, received_at) ON collections.copy TO collections_runtime;
