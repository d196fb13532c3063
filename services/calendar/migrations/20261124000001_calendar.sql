-- The acts and the rules they make: what comes every year, single days off, moved days, and terms. Rows are added, never
-- changed: known_from and known_to tell when a rule was held true.

CREATE TABLE calendar.act (
    id          text        CONSTRAINT act_key PRIMARY KEY,
    kind        text        NOT NULL CONSTRAINT act_kind CHECK (kind IN ('law', 'resolution', 'order')),
    title       text        NOT NULL,
    uri         text        NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE calendar.holiday (
    act        text     NOT NULL CONSTRAINT holiday_act REFERENCES calendar.act (id),
    provision  text     NOT NULL,
    name_kk    text     NOT NULL,
    name_ru    text     NOT NULL,
    name_en    text     NOT NULL,
    month      smallint NOT NULL CONSTRAINT holiday_month CHECK (month BETWEEN 1 AND 12),
    day        smallint NOT NULL CONSTRAINT holiday_day CHECK (day BETWEEN 1 AND 31),
    first_year smallint NOT NULL,
    last_year  smallint CONSTRAINT holiday_years CHECK (last_year >= first_year),
    class      text     NOT NULL CONSTRAINT holiday_class CHECK (class IN ('HOLIDAY', 'DAY_OFF')),
    rolls      boolean  NOT NULL,
    known_from date,
    known_to   date     CONSTRAINT holiday_known CHECK (known_to > known_from),
    grade      text     NOT NULL CONSTRAINT holiday_grade CHECK (grade IN ('A', 'B', 'C', 'D')),
    CONSTRAINT holiday_key UNIQUE NULLS NOT DISTINCT (month, day, first_year, last_year, known_from)
);

CREATE TABLE calendar.day_off (
    act        text    NOT NULL CONSTRAINT day_off_act REFERENCES calendar.act (id),
    provision  text    NOT NULL,
    name_kk    text    NOT NULL,
    name_ru    text    NOT NULL,
    name_en    text    NOT NULL,
    date       date    NOT NULL,
    announced  boolean NOT NULL,
    known_from date,
    known_to   date    CONSTRAINT day_off_known CHECK (known_to > known_from),
    CONSTRAINT day_off_key UNIQUE NULLS NOT DISTINCT (date, known_from)
);

CREATE TABLE calendar.transfer (
    act                 text NOT NULL CONSTRAINT transfer_act REFERENCES calendar.act (id),
    becomes_working_day date NOT NULL,
    becomes_day_off     date NOT NULL,
    known_from          date,
    known_to            date CONSTRAINT transfer_known CHECK (known_to > known_from),
    grade               text NOT NULL CONSTRAINT transfer_grade CHECK (grade IN ('A', 'B', 'C', 'D')),
    CONSTRAINT transfer_two_days CHECK (becomes_working_day <> becomes_day_off),
    CONSTRAINT transfer_key UNIQUE NULLS NOT DISTINCT (becomes_working_day, becomes_day_off, known_from)
);

-- Lengths are kept as text, `15 WORKING_DAY`, each with its law in the registers' notation.
CREATE TABLE calendar.term (
    id                  text    CONSTRAINT term_key PRIMARY KEY,
    requester_kinds     text[]  NOT NULL,
    received_from       date,
    received_to         date    CONSTRAINT term_received CHECK (received_to >= received_from),
    selected            boolean NOT NULL,
    base                text    NOT NULL,
    base_basis          text    NOT NULL,
    base_assumed_before date,
    origin              text    NOT NULL CONSTRAINT term_origin CHECK (origin IN ('RECEIPT', 'REGISTRATION')),
    origin_basis        text    NOT NULL,
    roll_forward        boolean NOT NULL,
    roll_forward_basis  text    NOT NULL,
    long_base           text,
    long_base_note      text,
    long_base_basis     text,
    extension           text,
    extension_note      text,
    extension_basis     text,
    notice              text,
    notice_note         text,
    notice_basis        text,
    forwarding          text,
    forwarding_note     text,
    forwarding_basis    text
);

GRANT SELECT, INSERT ON calendar.act, calendar.holiday, calendar.day_off, calendar.transfer, calendar.term TO calendar_runtime;
