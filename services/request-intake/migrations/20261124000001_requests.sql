-- Requests with everything their examination came to, and the rules of paragraphs 6 to 8 as data.

-- An act that has lapsed: from that day on what it orders continues as assumed.
CREATE TABLE requests.act (
    name       text NOT NULL CONSTRAINT act_key PRIMARY KEY,
    uri        text NOT NULL,
    lapsed_on  date NOT NULL,
    grade      text NOT NULL CONSTRAINT act_grade CHECK (grade IN ('A', 'B', 'C', 'D')),
    note       text NOT NULL
);

-- Which channel is open to which kind of requester.
CREATE TABLE requests.channel_rule (
    requester_kind        text    NOT NULL,
    channel               text    NOT NULL,
    allowed               boolean NOT NULL,
    legal_basis_act       text    NOT NULL,
    legal_basis_provision text    NOT NULL,
    legal_basis_uri       text    NOT NULL,
    legal_basis_assumed   boolean NOT NULL,
    grade                 text    NOT NULL CONSTRAINT channel_rule_grade CHECK (grade IN ('A', 'B', 'C', 'D')),
    valid_from            date    NOT NULL,
    valid_to              date    CONSTRAINT channel_rule_validity CHECK (valid_to >= valid_from),
    CONSTRAINT channel_rule_key PRIMARY KEY (requester_kind, channel, valid_from)
);

-- Which caller may bring a request through which channel.
CREATE TABLE requests.caller_channel (
    role                  text    NOT NULL CONSTRAINT caller_channel_role CHECK (role IN ('EDMS', 'KADAGALAU', 'OPERATOR')),
    channel               text    NOT NULL,
    legal_basis_act       text    NOT NULL,
    legal_basis_provision text    NOT NULL,
    legal_basis_uri       text    NOT NULL,
    legal_basis_assumed   boolean NOT NULL,
    grade                 text    NOT NULL CONSTRAINT caller_channel_grade CHECK (grade IN ('A', 'B', 'C', 'D')),
    valid_from            date    NOT NULL,
    valid_to              date    CONSTRAINT caller_channel_validity CHECK (valid_to >= valid_from),
    CONSTRAINT caller_channel_key PRIMARY KEY (role, channel, valid_from)
);

-- Who may sign for which kind of requester.
CREATE TABLE requests.signatory_rule (
    requester_kind        text    NOT NULL,
    capacity              text    NOT NULL,
    allowed               boolean NOT NULL,
    legal_basis_act       text    NOT NULL,
    legal_basis_provision text    NOT NULL,
    legal_basis_uri       text    NOT NULL,
    legal_basis_assumed   boolean NOT NULL,
    grade                 text    NOT NULL CONSTRAINT signatory_rule_grade CHECK (grade IN ('A', 'B', 'C', 'D')),
    valid_from            date    NOT NULL,
    valid_to              date    CONSTRAINT signatory_rule_validity CHECK (valid_to >= valid_from),
    CONSTRAINT signatory_rule_key PRIMARY KEY (requester_kind, capacity, valid_from)
);

-- What it means when a rule is broken, who decides it, and by which law.
CREATE TABLE requests.ground (
    rule                  text    NOT NULL,
    decided_by            text    NOT NULL CONSTRAINT ground_decided_by CHECK (decided_by IN ('SYSTEM', 'OFFICIAL', 'REQUESTER')),
    text_kk               text    NOT NULL,
    text_ru               text    NOT NULL,
    text_en               text    NOT NULL,
    legal_basis_act       text    NOT NULL,
    legal_basis_provision text    NOT NULL,
    legal_basis_uri       text    NOT NULL,
    legal_basis_assumed   boolean NOT NULL,
    grade                 text    NOT NULL CONSTRAINT ground_grade CHECK (grade IN ('A', 'B', 'C', 'D')),
    valid_from            date    NOT NULL,
    valid_to              date    CONSTRAINT ground_validity CHECK (valid_to >= valid_from),
    CONSTRAINT ground_key PRIMARY KEY (rule, valid_from)
);

CREATE TABLE requests.request (
    id                       uuid        NOT NULL CONSTRAINT request_key PRIMARY KEY,
    -- The order of arrival, for lists and for the examination of what waits.
    number                   bigint      GENERATED ALWAYS AS IDENTITY CONSTRAINT request_number UNIQUE,
    accepted_by              text        NOT NULL,
    accepted_at              timestamptz NOT NULL,
    coupon_number            text        NOT NULL CONSTRAINT request_coupon_number UNIQUE,
    received_at              timestamptz NOT NULL CONSTRAINT request_received_before_accepted CHECK (received_at <= accepted_at),
    channel                  text        NOT NULL CONSTRAINT request_channel
        CHECK (channel IN ('UNIFIED_EDMS', 'KADAGALAU', 'PAPER', 'E_GOVERNMENT', 'EMAIL', 'MESSENGER', 'ORAL')),
    external_number          text,
    external_date            date        CONSTRAINT request_external CHECK ((external_number IS NULL) = (external_date IS NULL)),
    addressee                text        NOT NULL,
    essence                  text        NOT NULL,
    language                 text        NOT NULL CONSTRAINT request_language CHECK (language IN ('KK', 'RU')),
    requester_kind           text        NOT NULL CONSTRAINT request_requester_kind
        CHECK (requester_kind IN ('STATE_BODY', 'PROSECUTOR_BODY', 'INDIVIDUAL', 'LEGAL_ENTITY')),
    requester_full_name      text        NOT NULL,
    requester_bin            text        CONSTRAINT request_requester_bin CHECK (requester_bin ~ '^[0-9]{12}$'),
    requester_iin            text        CONSTRAINT request_requester_iin CHECK (requester_iin ~ '^[0-9]{12}$'),
    requester_postal_address text        NOT NULL,
    signatory_full_name      text,
    signatory_capacity       text        CONSTRAINT request_signatory
        CHECK ((signatory_full_name IS NULL) = (signatory_capacity IS NULL)),
    state                    text        NOT NULL CONSTRAINT request_state
        CHECK (state IN ('RECEIVED', 'AWAITING_CLARIFICATION', 'REGISTERED', 'LEFT_WITHOUT_CONSIDERATION')),
    -- True while a service that the examination needs was away.
    examination_pending      boolean     NOT NULL CONSTRAINT request_pending_is_received
        CHECK (NOT examination_pending OR state = 'RECEIVED'),
    -- Which round of checks counts; earlier ones stay.
    examination_round        integer     NOT NULL,
    examined_at              timestamptz NOT NULL,
    registration_number      text        CONSTRAINT request_registration_number UNIQUE,
    registered_on            date,
    due_date                 date,
    due_time                 timestamptz,
    due_provisional          boolean,
    due_assumed              boolean,
    due_calendar_version     text,
    due_term                 text,
    CONSTRAINT request_registered CHECK (
        num_nonnulls(registration_number, registered_on, due_date, due_time, due_provisional, due_assumed,
            due_calendar_version, due_term) = CASE WHEN state = 'REGISTERED' THEN 8 ELSE 0 END)
);
CREATE INDEX request_pending ON requests.request (number) WHERE examination_pending;
CREATE INDEX request_accepted_by ON requests.request (accepted_by, number);
CREATE INDEX request_of_state ON requests.request (state, number);
CREATE INDEX request_external_number ON requests.request (external_number, number) WHERE external_number IS NOT NULL;

CREATE TABLE requests.item (
    request      uuid    NOT NULL CONSTRAINT item_request REFERENCES requests.request,
    position     integer NOT NULL CONSTRAINT item_position CHECK (position BETWEEN 0 AND 99),
    kind         text    NOT NULL CONSTRAINT item_kind
        CHECK (kind IN ('STATISTICS', 'ACCOUNTING_DOCUMENT_COPY', 'PRIMARY_ACCOUNTING_FORM')),
    description  text    NOT NULL,
    unit         text    CONSTRAINT item_unit CHECK (unit IN ('CRIME', 'OFFENCE', 'CRIMINAL_CASE', 'PERSON')),
    period       text,
    until_period text    CONSTRAINT item_until_period CHECK (until_period IS NULL OR period IS NOT NULL),
    form         text,
    CONSTRAINT item_key PRIMARY KEY (request, position)
);

CREATE TABLE requests.examination_check (
    request               uuid    NOT NULL CONSTRAINT examination_check_request REFERENCES requests.request,
    round                 integer NOT NULL,
    position              integer NOT NULL,
    rule                  text    NOT NULL,
    outcome               text    NOT NULL CONSTRAINT examination_check_outcome
        CHECK (outcome IN ('PASSED', 'FAILED', 'PROPOSED', 'UNDETERMINED', 'PENDING', 'NOT_APPLICABLE')),
    field                 text    NOT NULL,
    text_kk               text    NOT NULL,
    text_ru               text    NOT NULL,
    text_en               text    NOT NULL,
    legal_basis_act       text    NOT NULL,
    legal_basis_provision text    NOT NULL,
    legal_basis_uri       text    NOT NULL,
    legal_basis_assumed   boolean NOT NULL,
    CONSTRAINT examination_check_key PRIMARY KEY (request, round, position)
);

CREATE TABLE requests.clarification (
    request  uuid    NOT NULL CONSTRAINT clarification_request REFERENCES requests.request,
    position integer NOT NULL,
    text_kk  text    NOT NULL,
    text_ru  text    NOT NULL,
    text_en  text    NOT NULL,
    CONSTRAINT clarification_key PRIMARY KEY (request, position)
);

CREATE TABLE requests.deadline_step (
    request               uuid    NOT NULL CONSTRAINT deadline_step_request REFERENCES requests.request,
    position              integer NOT NULL,
    date                  date    NOT NULL,
    effect                text    NOT NULL CONSTRAINT deadline_step_effect
        CHECK (effect IN ('START', 'COUNTED', 'SKIPPED', 'SUSPENDED', 'ROLLED', 'DUE')),
    text_kk               text    NOT NULL,
    text_ru               text    NOT NULL,
    text_en               text    NOT NULL,
    legal_basis_act       text    NOT NULL,
    legal_basis_provision text    NOT NULL,
    legal_basis_uri       text    NOT NULL,
    legal_basis_assumed   boolean NOT NULL,
    CONSTRAINT deadline_step_key PRIMARY KEY (request, position)
);

-- The last registration number given in a year; its row is locked until the registration is stored.
CREATE TABLE requests.registration_counter (
    year integer NOT NULL CONSTRAINT registration_counter_key PRIMARY KEY,
    last integer NOT NULL CONSTRAINT registration_counter_last CHECK (last > 0)
);

GRANT SELECT, INSERT ON
    requests.act, requests.channel_rule, requests.caller_channel, requests.signatory_rule, requests.ground,
    requests.request, requests.item, requests.examination_check, requests.clarification, requests.deadline_step,
    requests.registration_counter
TO requests_runtime;
GRANT UPDATE (state, examination_pending, examination_round, examined_at, registration_number, registered_on, due_date,
    due_time, due_provisional, due_assumed, due_calendar_version, due_term) ON requests.request TO requests_runtime;
GRANT UPDATE (last) ON requests.registration_counter TO requests_runtime;
