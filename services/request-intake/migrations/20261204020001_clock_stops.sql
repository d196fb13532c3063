-- When the clock of a request stood still because its requester was to clarify it: facts, which count where the term lets its clock stop.
-- A replica of the release before records none and asks the calendar without them; what it leaves is computed again by this one.

CREATE TABLE requests.clock_stop (
    request      uuid        NOT NULL CONSTRAINT clock_stop_request REFERENCES requests.request,
    position     integer     NOT NULL,
    -- When the requester was asked.
    stopped_at   timestamptz NOT NULL,
    -- The last day for clarifying: the clock stands to the end of it at most.
    cure_by      date        NOT NULL,
    -- Null while the requester is waited for.
    restarted_at timestamptz,
    -- Whether the due date was computed with this stop as it stands.
    counted      boolean     NOT NULL DEFAULT false,
    CONSTRAINT clock_stop_key PRIMARY KEY (request, position),
    CONSTRAINT clock_stop_position CHECK (position >= 0),
    CONSTRAINT clock_stop_order CHECK (restarted_at >= stopped_at)
);
-- One clock stops once at a time.
CREATE UNIQUE INDEX clock_stop_standing ON requests.clock_stop (request) WHERE restarted_at IS NULL;
CREATE INDEX clock_stop_uncounted ON requests.clock_stop (request) WHERE NOT counted;

GRANT SELECT, INSERT, UPDATE ON requests.clock_stop TO requests_runtime;
