-- That the end of an embargo was told, once for all replicas: the clock alone ends it, and who watches the feed must learn of it.

CREATE TABLE forms.embargo_end (
    embargo bigint      CONSTRAINT embargo_end_key PRIMARY KEY CONSTRAINT embargo_end_embargo REFERENCES forms.embargo,
    told_at timestamptz NOT NULL
);

GRANT SELECT, INSERT ON forms.embargo_end TO forms_runtime;
