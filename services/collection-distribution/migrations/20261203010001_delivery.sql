-- Copies are delivered to the servers of recipients that have one: when the next attempt is due, which replica makes it until when, and
-- how each attempt ended. The release before issues copies without a delivery; their recipients fetch them, or an official has them
-- delivered.

CREATE SEQUENCE collections.delivery_fence;

-- Who writes a row holds its copy first, or takes both only where nobody else holds them: so nobody waits in a circle.
CREATE TABLE collections.delivery (
    collection      text        COLLATE "C" NOT NULL,
    period          text        COLLATE "C" NOT NULL,
    copy_number     integer     NOT NULL,
    -- The same for every attempt, so that the recipient's server stores the copy once. Drawn at random; nobody looks for one.
    delivery_id     uuid        NOT NULL,
    -- As the copy has it.
    recipient       text        COLLATE "C" NOT NULL,
    -- Attempts since the issue, or since it was delivered anew by hand; and all that there ever were.
    attempts        integer     NOT NULL DEFAULT 0 CONSTRAINT delivery_attempts CHECK (attempts >= 0),
    attempts_ever   integer     NOT NULL DEFAULT 0 CONSTRAINT delivery_attempts_ever CHECK (attempts_ever >= attempts),
    last_outcome    text,
    -- Null once none follows, and while one is under way.
    next_attempt_at timestamptz,
    -- The attempt under way: by which claim, since when, where to, and until when, by the clock of the database, which is the same for
    -- all replicas. What a claim that was taken over does afterwards is told by nobody.
    fence           bigint,
    started_at      timestamptz,
    endpoint        text,
    claimed_until   timestamptz,
    CONSTRAINT delivery_key PRIMARY KEY (collection, period, copy_number),
    CONSTRAINT delivery_of_copy FOREIGN KEY (collection, period, copy_number)
        REFERENCES collections.copy (collection, period, number),
    CONSTRAINT delivery_claimed_whole CHECK (num_nonnulls(fence, started_at, endpoint, claimed_until) IN (0, 4)),
    CONSTRAINT delivery_claimed_or_due CHECK (fence IS NULL OR next_attempt_at IS NULL)
);
-- Every copy of the past is in this table, and the next ones of each recipient are found among them at once.
CREATE INDEX delivery_due ON collections.delivery (recipient, next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX delivery_claimed ON collections.delivery (claimed_until) WHERE claimed_until IS NOT NULL;

-- How attempts ended; the one under way is in the row of its delivery.
CREATE TABLE collections.delivery_attempt (
    collection  text        COLLATE "C" NOT NULL,
    period      text        COLLATE "C" NOT NULL,
    copy_number integer     NOT NULL,
    number      integer     NOT NULL CONSTRAINT delivery_attempt_number CHECK (number > 0),
    -- Where it went; empty where there was no endpoint.
    endpoint    text        NOT NULL,
    started_at  timestamptz NOT NULL,
    ended_at    timestamptz NOT NULL,
    outcome     text        NOT NULL,
    detail      text        CONSTRAINT delivery_attempt_detail CHECK (detail <> ''),
    CONSTRAINT delivery_attempt_key PRIMARY KEY (collection, period, copy_number, number),
    CONSTRAINT delivery_attempt_of_delivery FOREIGN KEY (collection, period, copy_number) REFERENCES collections.delivery
);

-- A recipient's server that fails again and again is left alone for a while, by all replicas.
CREATE TABLE collections.recipient_breaker (
    recipient  text        COLLATE "C" NOT NULL CONSTRAINT recipient_breaker_key PRIMARY KEY
        CONSTRAINT recipient_breaker_recipient REFERENCES collections.recipient,
    -- Attempts that failed since the last one that the server answered.
    failures   integer     NOT NULL CONSTRAINT recipient_breaker_failures CHECK (failures >= 0),
    -- Null while attempts are made. An attempt that began before is not counted again.
    opened_at  timestamptz,
    open_until timestamptz,
    CONSTRAINT recipient_breaker_open CHECK ((opened_at IS NULL) = (open_until IS NULL))
);

GRANT USAGE ON SEQUENCE collections.delivery_fence TO collections_runtime;
GRANT SELECT, INSERT, UPDATE ON collections.delivery, collections.recipient_breaker TO collections_runtime;
GRANT SELECT, INSERT ON collections.delivery_attempt TO collections_runtime;
