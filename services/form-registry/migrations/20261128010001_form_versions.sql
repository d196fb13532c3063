-- Forms change in the course of time: everything recorded about a form is a row that stays, and the later of two rows holds.
--
-- `form` keeps a row for each form, with what was first recorded, as the previous release reads it; the next one needs of it the
-- number only.

CREATE TABLE forms.form_version (
    form                         integer NOT NULL CONSTRAINT form_version_form REFERENCES forms.form,
    -- The order of recording.
    number                       integer NOT NULL CONSTRAINT form_version_number CHECK (number > 0),
    kind                         text    NOT NULL CONSTRAINT form_version_kind
                                         CHECK (kind IN ('LOADED', 'CREATED', 'UPDATED', 'CORRECTED', 'RETIRED')),
    code                         text    CONSTRAINT form_version_code CHECK (code <> ''),
    title_en                     text    NOT NULL,
    title_kk                     text    NOT NULL,
    title_ru                     text    NOT NULL,
    periodicity                  text    NOT NULL CONSTRAINT form_version_periodicity
                                         CHECK (periodicity IN ('MONTHLY', 'QUARTERLY')),
    due_day                      integer NOT NULL CONSTRAINT form_version_due_day CHECK (due_day BETWEEN 1 AND 28),
    roll_forward                 boolean NOT NULL,
    roll_forward_basis_act       text    NOT NULL,
    roll_forward_basis_provision text    NOT NULL,
    roll_forward_basis_uri       text    NOT NULL,
    roll_forward_basis_assumed   boolean NOT NULL,
    legal_basis_act              text    NOT NULL,
    legal_basis_provision        text    NOT NULL,
    legal_basis_uri              text    NOT NULL,
    legal_basis_assumed          boolean NOT NULL,
    channels                     text[]  NOT NULL CONSTRAINT form_version_channels
        CHECK (cardinality(channels) > 0
               AND channels <@ ARRAY['INFORMATION_SERVICE', 'OFFICIAL_WEBSITE', 'OPEN_DATA_PORTAL']),
    body                         text    NOT NULL CONSTRAINT form_version_body CHECK (body IN ('COMMITTEE', 'TERRITORIAL')),
    -- The KATO code of a territorial body.
    territory                    text    NOT NULL CONSTRAINT form_version_territory
                                         CHECK (CASE body WHEN 'TERRITORIAL' THEN territory ~ '^[0-9]{9}$' ELSE territory = '' END),
    unit                         text    NOT NULL,
    -- The days that the recording speaks of; of a retirement, those on which the form is not in force.
    valid_from                   date    NOT NULL,
    valid_to                     date    CONSTRAINT form_version_validity CHECK (valid_to >= valid_from),
    reason                       text    NOT NULL CONSTRAINT form_version_reason CHECK (reason <> ''),
    recorded_at                  timestamptz NOT NULL,
    recorded_by                  text    NOT NULL,
    CONSTRAINT form_version_key PRIMARY KEY (form, number)
);

INSERT INTO forms.form_version
SELECT list_number, 1, 'LOADED', code, title_en, title_kk, title_ru, periodicity, due_day, roll_forward,
    roll_forward_basis_act, roll_forward_basis_provision, roll_forward_basis_uri, roll_forward_basis_assumed,
    legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed,
    '{INFORMATION_SERVICE}', 'COMMITTEE', '', '', valid_from, valid_to, 'the register of the release', now(), 'jobs/load-registers'
FROM forms.form;

GRANT SELECT, INSERT ON forms.form_version TO forms_runtime;
