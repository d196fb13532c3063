-- What figures are of: indicators of forms, details of accounting documents, and the code lists behind their dimensions.

-- Titles are looked up by likeness. `deploy/postgres/roles.sql` makes the extension; an owner who may make it needs no rerun.
CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA forms;

CREATE TABLE forms.code_list (
    id                    integer     GENERATED ALWAYS AS IDENTITY CONSTRAINT code_list_id PRIMARY KEY,
    code                  text        COLLATE "C" NOT NULL CONSTRAINT code_list_key UNIQUE CONSTRAINT code_list_code CHECK (code ~ '^[A-Z][A-Z0-9_]{0,39}$'),
    title_kk              text        NOT NULL,
    title_ru              text        NOT NULL,
    title_en              text        NOT NULL,
    legal_basis_act       text        NOT NULL,
    legal_basis_provision text        NOT NULL,
    legal_basis_uri       text        NOT NULL,
    legal_basis_assumed   boolean     NOT NULL,
    CONSTRAINT code_list_title CHECK (title_kk || title_ru || title_en <> '')
);

CREATE TABLE forms.code (
    id        integer GENERATED ALWAYS AS IDENTITY CONSTRAINT code_id PRIMARY KEY,
    code_list integer NOT NULL CONSTRAINT code_of_list REFERENCES forms.code_list,
    code      text    COLLATE "C" NOT NULL CONSTRAINT code_code CHECK (code ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$'),
    CONSTRAINT code_key UNIQUE (code_list, code)
);

-- What a code means from a day on. Only the last day of a version is ever changed.
CREATE TABLE forms.code_version (
    code                  integer     NOT NULL CONSTRAINT code_version_of REFERENCES forms.code,
    valid_from            date        NOT NULL,
    valid_to              date        CONSTRAINT code_version_validity CHECK (valid_to >= valid_from),
    parent                integer     CONSTRAINT code_version_parent REFERENCES forms.code CONSTRAINT code_version_own_parent CHECK (parent <> code),
    title_kk              text        NOT NULL,
    title_ru              text        NOT NULL,
    title_en              text        NOT NULL,
    legal_basis_act       text        NOT NULL,
    legal_basis_provision text        NOT NULL,
    legal_basis_uri       text        NOT NULL,
    legal_basis_assumed   boolean     NOT NULL,
    -- The law that ended it, in the registers' notation.
    ended_by              text,
    recorded_at           timestamptz NOT NULL,
    recorded_by           text        NOT NULL,
    CONSTRAINT code_version_key PRIMARY KEY (code, valid_from),
    CONSTRAINT code_version_title CHECK (title_kk || title_ru || title_en <> '')
);
CREATE UNIQUE INDEX code_version_open ON forms.code_version (code) WHERE valid_to IS NULL;
CREATE INDEX code_version_parts ON forms.code_version (parent) WHERE parent IS NOT NULL;

-- An indicator of a form, or a detail of an accounting document.
CREATE TABLE forms.indicator (
    id       integer GENERATED ALWAYS AS IDENTITY CONSTRAINT indicator_id PRIMARY KEY,
    form     integer CONSTRAINT indicator_form REFERENCES forms.form,
    document integer CONSTRAINT indicator_document REFERENCES forms.code,
    code     text    COLLATE "C" NOT NULL CONSTRAINT indicator_code CHECK (code ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$'),
    CONSTRAINT indicator_of_one CHECK (num_nonnulls(form, document) = 1),
    CONSTRAINT indicator_key UNIQUE NULLS NOT DISTINCT (form, document, code)
);

CREATE TABLE forms.indicator_version (
    indicator             integer     NOT NULL CONSTRAINT indicator_version_of REFERENCES forms.indicator,
    valid_from            date        NOT NULL,
    valid_to              date        CONSTRAINT indicator_version_validity CHECK (valid_to >= valid_from),
    title_kk              text        NOT NULL,
    title_ru              text        NOT NULL,
    title_en              text        NOT NULL,
    unit                  integer     NOT NULL CONSTRAINT indicator_version_unit REFERENCES forms.code,
    measure               text        NOT NULL,
    by_territory          boolean     NOT NULL,
    dimensions            text[]      NOT NULL,
    dimension_lists       integer[]   NOT NULL CONSTRAINT indicator_version_dimensions CHECK (cardinality(dimensions) = cardinality(dimension_lists)),
    restricted            boolean     NOT NULL,
    legal_basis_act       text        NOT NULL,
    legal_basis_provision text        NOT NULL,
    legal_basis_uri       text        NOT NULL,
    legal_basis_assumed   boolean     NOT NULL,
    ended_by              text,
    recorded_at           timestamptz NOT NULL,
    recorded_by           text        NOT NULL,
    CONSTRAINT indicator_version_key PRIMARY KEY (indicator, valid_from),
    CONSTRAINT indicator_version_title CHECK (title_kk || title_ru || title_en <> '')
);
CREATE UNIQUE INDEX indicator_version_open ON forms.indicator_version (indicator) WHERE valid_to IS NULL;
CREATE INDEX indicator_version_title_kk ON forms.indicator_version USING gin (title_kk forms.gin_trgm_ops);
CREATE INDEX indicator_version_title_ru ON forms.indicator_version USING gin (title_ru forms.gin_trgm_ops);
CREATE INDEX indicator_version_title_en ON forms.indicator_version USING gin (title_en forms.gin_trgm_ops);

-- That a code of a dimension is the sum of its parts in the figures of a form. The dimension TERRITORY is KATO.
CREATE TABLE forms.total_rule (
    form                  integer     NOT NULL CONSTRAINT total_rule_form REFERENCES forms.form,
    dimension             text        COLLATE "C" NOT NULL,
    total                 integer     NOT NULL CONSTRAINT total_rule_total REFERENCES forms.code,
    valid_from            date        NOT NULL,
    valid_to              date        CONSTRAINT total_rule_validity CHECK (valid_to >= valid_from),
    legal_basis_act       text        NOT NULL,
    legal_basis_provision text        NOT NULL,
    legal_basis_uri       text        NOT NULL,
    legal_basis_assumed   boolean     NOT NULL,
    recorded_at           timestamptz NOT NULL,
    recorded_by           text        NOT NULL,
    CONSTRAINT total_rule_key PRIMARY KEY (form, dimension, total, valid_from)
);

INSERT INTO forms.code_list (code, title_kk, title_ru, title_en, legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed) VALUES
    ('KATO', 'Әкімшілік-аумақтық объектілер жіктеуіші', 'Классификатор административно-территориальных объектов',
     'Classifier of administrative-territorial objects', 'NK RK 11', '', '', true),
    ('UNIT', 'Есепке алу бірліктері', 'Единицы учёта', 'Units of account',
     'Instruction', 'para 8', 'https://adilet.zan.kz/rus/docs/V1900018554', false),
    ('ACCOUNTING_DOCUMENT', 'Ақпараттық есепке алу құжаттары', 'Информационные учётные документы', 'Information accounting documents',
     'Instruction', 'para 5', 'https://adilet.zan.kz/rus/docs/V1900018554', false);

WITH unit (code, kk, ru, en) AS (
    VALUES ('CRIME', 'қылмыс', 'преступление', 'crime'),
           ('OFFENCE', 'құқық бұзушылық', 'правонарушение', 'offence'),
           ('CRIMINAL_CASE', 'қылмыстық іс', 'уголовное дело', 'criminal case'),
           ('PERSON', 'адам', 'лицо', 'person')
), stored AS (
    INSERT INTO forms.code (code_list, code) SELECT l.id, u.code FROM unit u, forms.code_list l WHERE l.code = 'UNIT' RETURNING id, code
)
INSERT INTO forms.code_version
    (code, valid_from, title_kk, title_ru, title_en, legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed,
     recorded_at, recorded_by)
SELECT s.id, '2019-04-15', u.kk, u.ru, u.en, 'Instruction', 'para 8', 'https://adilet.zan.kz/rus/docs/V1900018554', false, now(), 'system'
FROM stored s JOIN unit u USING (code);

GRANT SELECT ON forms.code_list, forms.code, forms.code_version, forms.indicator, forms.indicator_version, forms.total_rule TO forms_runtime;
GRANT INSERT (code, title_kk, title_ru, title_en, legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed)
    ON forms.code_list TO forms_runtime;
GRANT INSERT (code_list, code) ON forms.code TO forms_runtime;
GRANT INSERT (form, document, code) ON forms.indicator TO forms_runtime;
GRANT INSERT ON forms.code_version, forms.indicator_version, forms.total_rule TO forms_runtime;
GRANT UPDATE (valid_to, ended_by) ON forms.code_version, forms.indicator_version TO forms_runtime;
