-- The register of Appendix 2 with its schedule: which forms there are, when each edition is due, what was placed where and when.

CREATE TABLE forms.form (
    list_number                  integer NOT NULL CONSTRAINT form_key PRIMARY KEY CONSTRAINT form_list_number CHECK (list_number > 0),
    code                         text    CONSTRAINT form_code CHECK (code <> ''),
    title_en                     text    NOT NULL,
    title_kk                     text    NOT NULL,
    title_ru                     text    NOT NULL,
    periodicity                  text    NOT NULL CONSTRAINT form_periodicity CHECK (periodicity IN ('MONTHLY', 'QUARTERLY')),
    due_day                      integer NOT NULL CONSTRAINT form_due_day CHECK (due_day BETWEEN 1 AND 28),
    roll_forward                 boolean NOT NULL,
    roll_forward_basis_act       text    NOT NULL,
    roll_forward_basis_provision text    NOT NULL,
    roll_forward_basis_uri       text    NOT NULL,
    roll_forward_basis_assumed   boolean NOT NULL,
    legal_basis_act              text    NOT NULL,
    legal_basis_provision        text    NOT NULL,
    legal_basis_uri              text    NOT NULL,
    legal_basis_assumed          boolean NOT NULL,
    valid_from                   date    NOT NULL,
    valid_to                     date    CONSTRAINT form_validity CHECK (valid_to >= valid_from)
);

CREATE TABLE forms.edition (
    form             integer     NOT NULL CONSTRAINT edition_form REFERENCES forms.form,
    period           text        NOT NULL,
    period_first_day date        NOT NULL,
    period_last_day  date        NOT NULL CONSTRAINT edition_period CHECK (period_last_day > period_first_day),
    due_date         date        NOT NULL CONSTRAINT edition_due_date CHECK (due_date > period_last_day),
    due_time         timestamptz NOT NULL,
    provisional      boolean     NOT NULL,
    assumed          boolean     NOT NULL,
    calendar_version text        NOT NULL,
    state            text        NOT NULL CONSTRAINT edition_state CHECK (state IN ('SCHEDULED', 'PREPARED', 'PLACED')),
    -- The file that counts now; earlier ones stay in edition_file.
    file             bigint      CONSTRAINT edition_file_of_state CHECK ((file IS NULL) = (state = 'SCHEDULED')),
    CONSTRAINT edition_key PRIMARY KEY (form, period)
);
CREATE INDEX edition_schedule ON forms.edition (due_date, form, period);

CREATE TABLE forms.edition_file (
    number       bigint      GENERATED ALWAYS AS IDENTITY CONSTRAINT edition_file_key PRIMARY KEY,
    form         integer     NOT NULL,
    period       text        NOT NULL,
    filename     text        NOT NULL,
    content_type text        NOT NULL,
    size_bytes   bigint      NOT NULL CONSTRAINT edition_file_size_bytes CHECK (size_bytes > 0),
    sha256       bytea       NOT NULL CONSTRAINT edition_file_sha256 CHECK (octet_length(sha256) = 32),
    uploaded_at  timestamptz NOT NULL,
    uploaded_by  text        NOT NULL,
    CONSTRAINT edition_file_edition FOREIGN KEY (form, period) REFERENCES forms.edition,
    CONSTRAINT edition_file_of_edition UNIQUE (number, form, period)
);
-- An edition can only point at a file of its own.
ALTER TABLE forms.edition ADD CONSTRAINT edition_current_file
    FOREIGN KEY (file, form, period) REFERENCES forms.edition_file (number, form, period);

CREATE TABLE forms.placement (
    form        integer     NOT NULL,
    period      text        NOT NULL,
    channel     text        NOT NULL CONSTRAINT placement_channel
        CHECK (channel IN ('INFORMATION_SERVICE', 'OFFICIAL_WEBSITE', 'OPEN_DATA_PORTAL')),
    placed_at   timestamptz NOT NULL,
    placed_by   text        NOT NULL,
    punctuality text        NOT NULL CONSTRAINT placement_punctuality CHECK (punctuality IN ('ON_TIME', 'LATE')),
    CONSTRAINT placement_key PRIMARY KEY (form, period, channel),
    CONSTRAINT placement_edition FOREIGN KEY (form, period) REFERENCES forms.edition
);

-- Periods that were asked about and have no edition, because they fall due outside the days on which the duty holds.
CREATE TABLE forms.period_without_edition (
    form             integer NOT NULL CONSTRAINT period_without_edition_form REFERENCES forms.form,
    period           text    NOT NULL,
    due_date         date    NOT NULL,
    calendar_version text    NOT NULL,
    CONSTRAINT period_without_edition_key PRIMARY KEY (form, period)
);

-- The list of open data approved by order No. 22 (Instruction, para 9). Empty until an operator enters it.
CREATE TABLE forms.open_data_list (
    form                  integer NOT NULL CONSTRAINT open_data_list_form REFERENCES forms.form,
    valid_from            date    NOT NULL,
    valid_to              date    CONSTRAINT open_data_list_validity CHECK (valid_to >= valid_from),
    legal_basis_act       text    NOT NULL,
    legal_basis_provision text    NOT NULL,
    legal_basis_uri       text    NOT NULL,
    legal_basis_assumed   boolean NOT NULL,
    CONSTRAINT open_data_list_key PRIMARY KEY (form, valid_from)
);

GRANT SELECT, INSERT ON forms.form, forms.edition, forms.edition_file, forms.placement, forms.period_without_edition,
    forms.open_data_list TO forms_runtime;
GRANT UPDATE (state, file) ON forms.edition TO forms_runtime;
