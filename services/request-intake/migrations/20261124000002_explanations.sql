-- The due date of an open request follows the calendar; its explanation is kept once for all requests that it explains.
-- A replica of the release before shows requests registered from now on without their steps, until it is replaced.

-- Found by the SHA-256 of its steps, and never changed.
CREATE TABLE requests.explanation (
    sha256 bytea NOT NULL CONSTRAINT explanation_key PRIMARY KEY
                 CONSTRAINT explanation_sha256 CHECK (octet_length(sha256) = 32)
);

CREATE TABLE requests.explanation_step (
    explanation           bytea   NOT NULL CONSTRAINT explanation_step_explanation REFERENCES requests.explanation,
    position              integer NOT NULL,
    date                  date    NOT NULL,
    effect                text    NOT NULL CONSTRAINT explanation_step_effect
        CHECK (effect IN ('START', 'COUNTED', 'SKIPPED', 'SUSPENDED', 'ROLLED', 'DUE')),
    text_kk               text    NOT NULL,
    text_ru               text    NOT NULL,
    text_en               text    NOT NULL,
    legal_basis_act       text    NOT NULL,
    legal_basis_provision text    NOT NULL,
    legal_basis_uri       text    NOT NULL,
    legal_basis_assumed   boolean NOT NULL,
    CONSTRAINT explanation_step_key PRIMARY KEY (explanation, position)
);

-- Null for requests of the release before, whose steps stand in deadline_step until a later release moves them.
ALTER TABLE requests.request ADD COLUMN explanation bytea
    CONSTRAINT request_explanation REFERENCES requests.explanation;

GRANT SELECT, INSERT ON requests.explanation, requests.explanation_step TO requests_runtime;
GRANT UPDATE (explanation) ON requests.request TO requests_runtime;
