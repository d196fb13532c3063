-- The acts and the rules they bring, each with its law and with when it was known: nothing here is ever changed or deleted.

CREATE TABLE calendar.act (
    id           text        NOT NULL CONSTRAINT act_key PRIMARY KEY
                             CONSTRAINT act_id CHECK (id ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    -- The order of recording: the version of the calendar that the act made.
    sequence     bigint      NOT NULL CONSTRAINT act_sequence UNIQUE CONSTRAINT act_sequence_from_1 CHECK (sequence > 0),
    kind         text        NOT NULL CONSTRAINT act_kind CHECK (kind IN ('LAW', 'RESOLUTION', 'ORDER')),
    citation     text        NOT NULL CONSTRAINT act_citation CHECK (citation <> ''),
    title_kk     text        NOT NULL,
    title_ru     text        NOT NULL,
    title_en     text        NOT NULL,
    -- Empty when unknown, as are the next two.
    number       text        NOT NULL,
    adilet_id    text        NOT NULL,
    uri          text        NOT NULL,
    dated        date,
    published_on date        CONSTRAINT act_published_on CHECK (published_on >= dated),
    grade        text        NOT NULL CONSTRAINT act_grade CHECK (grade IN ('A', 'B', 'C', 'D')),
    known_from   timestamptz,
    valid_from   date,
    valid_to     date        CONSTRAINT act_validity CHECK (valid_to >= valid_from),
    recorded_at  timestamptz NOT NULL
);

-- From then on the rows of the act are not known any more. A row of its own, so that the act stays as it was recorded.
CREATE TABLE calendar.act_withdrawal (
    act          text        NOT NULL CONSTRAINT act_withdrawal_key PRIMARY KEY
                             CONSTRAINT act_withdrawal_act REFERENCES calendar.act,
    withdrawn_at timestamptz NOT NULL
);

-- In every rule: `act` brought the row, `basis_act` is cited; known from `known_from` (always when null) until before
-- `known_to`. Of the rows with one key the one learnt last holds.
CREATE TABLE calendar.holiday_rule (
    id                 bigint      GENERATED ALWAYS AS IDENTITY CONSTRAINT holiday_rule_key PRIMARY KEY,
    key                text        NOT NULL CONSTRAINT holiday_rule_name CHECK (key <> ''),
    name_kk            text        NOT NULL,
    name_ru            text        NOT NULL,
    name_en            text        NOT NULL,
    month              smallint    NOT NULL CONSTRAINT holiday_rule_month CHECK (month BETWEEN 1 AND 12),
    day                smallint    NOT NULL,
    first_year         smallint    NOT NULL CONSTRAINT holiday_rule_first_year CHECK (first_year BETWEEN 2016 AND 2036),
    last_year          smallint    CONSTRAINT holiday_rule_last_year CHECK (last_year BETWEEN first_year AND 2036),
    rolls_forward      boolean     NOT NULL,
    class              text        NOT NULL CONSTRAINT holiday_rule_class CHECK (class IN ('HOLIDAY', 'DAY_OFF')),
    act                text        NOT NULL CONSTRAINT holiday_rule_act REFERENCES calendar.act,
    basis_act          text        NOT NULL CONSTRAINT holiday_rule_basis_act REFERENCES calendar.act,
    provision          text        NOT NULL,
    grade              text        NOT NULL CONSTRAINT holiday_rule_grade CHECK (grade IN ('A', 'B', 'C', 'D')),
    known_from         timestamptz,
    known_to           timestamptz CONSTRAINT holiday_rule_knowledge CHECK (known_to > known_from),
    known_from_assumed boolean     NOT NULL,
    note               text        NOT NULL,
    -- 2000 was a leap year: 29 February is a date, 30 February is not.
    CONSTRAINT holiday_rule_day CHECK (
        day BETWEEN 1 AND CASE month WHEN 2 THEN 29 WHEN 4 THEN 30 WHEN 6 THEN 30 WHEN 9 THEN 30 WHEN 11 THEN 30 ELSE 31 END
    ),
    CONSTRAINT holiday_rule_of_act UNIQUE NULLS NOT DISTINCT (act, key, known_from)
);

CREATE TABLE calendar.day_off_rule (
    id                 bigint      GENERATED ALWAYS AS IDENTITY CONSTRAINT day_off_rule_key PRIMARY KEY,
    key                text        NOT NULL CONSTRAINT day_off_rule_name CHECK (key <> ''),
    date               date        NOT NULL
                                   CONSTRAINT day_off_rule_date CHECK (date BETWEEN '2016-01-01' AND '2036-12-31'),
    status             text        NOT NULL
                                   CONSTRAINT day_off_rule_status CHECK (status IN ('PROVISIONAL', 'ANNOUNCED', 'CONFIRMED')),
    name_kk            text        NOT NULL,
    name_ru            text        NOT NULL,
    name_en            text        NOT NULL,
    act                text        NOT NULL CONSTRAINT day_off_rule_act REFERENCES calendar.act,
    basis_act          text        NOT NULL CONSTRAINT day_off_rule_basis_act REFERENCES calendar.act,
    provision          text        NOT NULL,
    grade              text        NOT NULL CONSTRAINT day_off_rule_grade CHECK (grade IN ('A', 'B', 'C', 'D')),
    known_from         timestamptz,
    known_to           timestamptz CONSTRAINT day_off_rule_knowledge CHECK (known_to > known_from),
    known_from_assumed boolean     NOT NULL,
    CONSTRAINT day_off_rule_of_act UNIQUE NULLS NOT DISTINCT (act, key, date, known_from)
);

CREATE TABLE calendar.transfer_rule (
    id                 bigint      GENERATED ALWAYS AS IDENTITY CONSTRAINT transfer_rule_key PRIMARY KEY,
    working_day        date        NOT NULL
                                   CONSTRAINT transfer_rule_working_day CHECK (working_day BETWEEN '2016-01-01' AND '2036-12-31'),
    day_off            date        NOT NULL
                                   CONSTRAINT transfer_rule_day_off CHECK (day_off BETWEEN '2016-01-01' AND '2036-12-31'),
    act                text        NOT NULL CONSTRAINT transfer_rule_act REFERENCES calendar.act,
    basis_act          text        NOT NULL CONSTRAINT transfer_rule_basis_act REFERENCES calendar.act,
    provision          text        NOT NULL,
    grade              text        NOT NULL CONSTRAINT transfer_rule_grade CHECK (grade IN ('A', 'B', 'C', 'D')),
    known_from         timestamptz,
    known_to           timestamptz CONSTRAINT transfer_rule_knowledge CHECK (known_to > known_from),
    known_from_assumed boolean     NOT NULL,
    CONSTRAINT transfer_rule_two_days CHECK (working_day <> day_off),
    CONSTRAINT transfer_rule_working_day_once UNIQUE (act, working_day),
    CONSTRAINT transfer_rule_day_off_once UNIQUE (act, day_off)
);

-- General rules that the calendar carries out: the five-day week, the rolling of holidays, paragraph 13, registration.
CREATE TABLE calendar.provision_rule (
    id                 bigint      GENERATED ALWAYS AS IDENTITY CONSTRAINT provision_rule_key PRIMARY KEY,
    key                text        NOT NULL CONSTRAINT provision_rule_name CHECK (key <> ''),
    valid_from         date,
    valid_to           date        CONSTRAINT provision_rule_validity CHECK (valid_to >= valid_from),
    act                text        NOT NULL CONSTRAINT provision_rule_act REFERENCES calendar.act,
    basis_act          text        NOT NULL CONSTRAINT provision_rule_basis_act REFERENCES calendar.act,
    provision          text        NOT NULL,
    grade              text        NOT NULL CONSTRAINT provision_rule_grade CHECK (grade IN ('A', 'B', 'C', 'D')),
    known_from         timestamptz,
    known_to           timestamptz CONSTRAINT provision_rule_knowledge CHECK (known_to > known_from),
    known_from_assumed boolean     NOT NULL,
    note               text        NOT NULL,
    CONSTRAINT provision_rule_of_act UNIQUE NULLS NOT DISTINCT (act, key, valid_from, known_from)
);

CREATE TABLE calendar.term_rule (
    id                     bigint      GENERATED ALWAYS AS IDENTITY CONSTRAINT term_rule_key PRIMARY KEY,
    name                   text        NOT NULL CONSTRAINT term_rule_name CHECK (name ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    requester_kinds        text[]      NOT NULL CONSTRAINT term_rule_requester_kinds CHECK (
        cardinality(requester_kinds) > 0
        AND requester_kinds <@ ARRAY ['STATE_BODY', 'PROSECUTOR_BODY', 'INDIVIDUAL', 'LEGAL_ENTITY']
    ),
    received_from          date,
    received_to            date        CONSTRAINT term_rule_received CHECK (received_to >= received_from),
    selected               boolean     NOT NULL,
    origin                 text        NOT NULL CONSTRAINT term_rule_origin CHECK (origin IN ('RECEIPT', 'REGISTRATION')),
    origin_provision       text        NOT NULL,
    origin_assumed         boolean     NOT NULL,
    roll_forward           boolean     NOT NULL,
    roll_forward_provision text        NOT NULL,
    roll_forward_assumed   boolean     NOT NULL,
    act                    text        NOT NULL CONSTRAINT term_rule_act REFERENCES calendar.act,
    basis_act              text        NOT NULL CONSTRAINT term_rule_basis_act REFERENCES calendar.act,
    known_from             timestamptz,
    known_to               timestamptz CONSTRAINT term_rule_knowledge CHECK (known_to > known_from),
    known_from_assumed     boolean     NOT NULL,
    note                   text        NOT NULL,
    CONSTRAINT term_rule_of_act UNIQUE NULLS NOT DISTINCT (act, name, known_from)
);

CREATE TABLE calendar.term_span (
    term_rule      bigint   NOT NULL CONSTRAINT term_span_term_rule REFERENCES calendar.term_rule,
    role           text     NOT NULL CONSTRAINT term_span_role
                            CHECK (role IN ('BASE', 'LONG_BASE', 'EXTENSION', 'EXTENSION_NOTICE', 'FORWARDING')),
    length         integer  NOT NULL CONSTRAINT term_span_length CHECK (length BETWEEN 1 AND 3660),
    unit           text     NOT NULL CONSTRAINT term_span_unit CHECK (unit IN ('CALENDAR_DAY', 'WORKING_DAY', 'MONTH')),
    note_kk        text     NOT NULL,
    note_ru        text     NOT NULL,
    note_en        text     NOT NULL,
    provision      text     NOT NULL,
    grade          text     NOT NULL CONSTRAINT term_span_grade CHECK (grade IN ('A', 'B', 'C', 'D')),
    -- For requests received before this day the length is assumed.
    assumed_before date,
    CONSTRAINT term_span_key PRIMARY KEY (term_rule, role)
);

GRANT SELECT, INSERT ON calendar.act, calendar.act_withdrawal, calendar.holiday_rule, calendar.day_off_rule,
    calendar.transfer_rule, calendar.provision_rule, calendar.term_rule, calendar.term_span TO calendar_runtime;
