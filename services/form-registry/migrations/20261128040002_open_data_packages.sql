-- The open data packages that are out. A package is made when its revision is placed on the open data portal, and never changes: the
-- runtime role may add rows only. Its files lie in the folder of files, under their digests.

CREATE TABLE forms.open_data_package (
    form     integer     NOT NULL,
    period   text        NOT NULL,
    -- 1 is v1, the first that was placed.
    version  integer     NOT NULL CONSTRAINT open_data_package_version CHECK (version > 0),
    revision integer     NOT NULL,
    -- Over the digests and paths of its files.
    sha256   bytea       NOT NULL CONSTRAINT open_data_package_sha256 CHECK (octet_length(sha256) = 32),
    made_at  timestamptz NOT NULL,
    made_by  text        NOT NULL,
    CONSTRAINT open_data_package_key PRIMARY KEY (form, period, version),
    CONSTRAINT open_data_package_of_revision UNIQUE (form, period, revision),
    CONSTRAINT open_data_package_revision FOREIGN KEY (form, period, revision) REFERENCES forms.revision
);

CREATE TABLE forms.open_data_file (
    form         integer NOT NULL,
    period       text    NOT NULL,
    version      integer NOT NULL,
    path         text    COLLATE "C" NOT NULL CONSTRAINT open_data_file_path CHECK (path ~ '^[A-Za-z0-9][A-Za-z0-9._/-]*$'),
    content_type text    NOT NULL,
    -- The portal takes no more.
    size_bytes   bigint  NOT NULL CONSTRAINT open_data_file_size CHECK (size_bytes BETWEEN 1 AND 10000000),
    sha256       bytea   NOT NULL CONSTRAINT open_data_file_sha256 CHECK (octet_length(sha256) = 32),
    CONSTRAINT open_data_file_key PRIMARY KEY (form, period, version, path),
    CONSTRAINT open_data_file_package FOREIGN KEY (form, period, version) REFERENCES forms.open_data_package
);

GRANT SELECT, INSERT ON forms.open_data_package, forms.open_data_file TO forms_runtime;
