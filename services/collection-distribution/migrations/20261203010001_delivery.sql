-- Copies are delivered to the servers of recipients that have one: when the next attempt is due, which replica makes it until when, and
-- how each attempt ended. The release before issues copies without a delivery; their recipients fetch them, or an official has them
-- delivered.

CREATE SEQUENCE collections.delivery_fence;

CREATE TABLE collections.delivery (
    collection      text        COLLATE "C" NOT NULL,
    period          text        COLLATE "C" NOT NULL,
    copy_number     integer     NOT NULL,
    -- The same for every attempt, so that the recipient's server stores the copy once.
    delivery_id     uuid        NOT NULL,
    recipient       text        COLLATE "C" NOT NULL CONSTRAINT delivery_recipient REFERENCES collections.recipient,
    -- Attempts since the issue, or since it was delivered anew by hand; and all that there ever were.
    attempts        integer     NOT NULL DEFAULT 0 CONSTRAINT delivery_attempts CHECK (attempts >= 0),
    attempts_ever   integer     NOT NULL DEFAULT 0 CONSTRAINT delivery_attempts_ever CHECK (attempts_ever >= attempts),
    last_outcome    text,
    -- Null once none follows.
    next_attempt_at timestamptz,
    -- Under way: by which claim, and until when. What a claim that was taken over does afterwards is told by nobody.
    fence           bigint,
    claimed_until   timestamptz,
    CONSTRAINT delivery_key PRIMARY KEY (collection, period, copy_number),
    CONSTRAINT delivery_id_key UNIQUE (delivery_id),
    CONSTRAINT delivery_of_copy FOREIGN KEY (collection, period, copy_number)
        REFERENCES collections.copy (collection, period, number),
    CONSTRAINT delivery_claimed_whole CHECK ((fence IS NULL) = (claimed_until IS NULL))
);
-- Every copy of the past is in this table, and the next one is found among them at once.
CREATE INDEX delivery_due ON collections.delivery (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX delivery_claimed ON collections.delivery (claimed_until) WHERE claimed_until IS NOT NULL;

CREATE TABLE collections.delivery_attempt (
    collection  text        COLLATE "C" NOT NULL,
    period      text        COLLATE "C" NOT NULL,
    copy_number integer     NOT NULL,
    number      integer     NOT NULL CONSTRAINT delivery_attempt_number CHECK (number > 0),
    fence       bigint      NOT NULL,
    endpoint    text        NOT NULL,
    started_at  timestamptz NOT NULL,
    ended_at    timestamptz,
    outcome     text,
    detail      text        CONSTRAINT delivery_attempt_detail CHECK (detail <> ''),
    CONSTRAINT delivery_attempt_key PRIMARY KEY (collection, period, copy_number, number),
    CONSTRAINT delivery_attempt_of_delivery FOREIGN KEY (collection, period, copy_number) REFERENCES collections.delivery,
    CONSTRAINT delivery_attempt_ended_whole CHECK ((ended_at IS NULL) = (outcome IS NULL))
);

-- A recipient's server that fails again and again is left alone for a while, by all replicas.
CREATE TABLE collections.recipient_breaker (
    recipient   text        COLLATE "C" NOT NULL CONSTRAINT recipient_breaker_key PRIMARY KEY
        CONSTRAINT recipient_breaker_recipient REFERENCES collections.recipient,
    failures    integer     NOT NULL CONSTRAINT recipient_breaker_failures CHECK (failures >= 0),
    open_until  timestamptz
);

GRANT USAGE ON SEQUENCE collections.delivery_fence TO collections_runtime;
GRANT SELECT, INSERT, UPDATE ON collections.delivery, collections.delivery_attempt, collections.recipient_breaker TO collections_runtime;
