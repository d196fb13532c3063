-- When the clock of a request stood still because its requester was to clarify it: facts, which count where the term lets its clock stop.
-- A replica of the release before records none. A stop that it leaves standing is ended by this one as of the decision that ended it; a
-- due date that it recomputes, for a calendar that changes while both run, is right again at the next change of the calendar.

CREATE TABLE requests.clock_stop (
    request      uuid        NOT NULL CONSTRAINT clock_stop_request REFERENCES requests.request,
    position     integer     NOT NULL,
    -- The number of decisions before it: which of those after it ended the waiting is told by their order, for clocks can stand.
    decision     integer     NOT NULL,
    -- When the requester was asked.
    stopped_at   timestamptz NOT NULL,
    -- The last day for clarifying: the clock stands to the end of it at most.
    cure_by      date        NOT NULL,
    -- Null while the requester is waited for, and until this release has seen that he is no more.
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

-- When the waiting ended because the request came back or was closed, whichever release decided it; null while it waits.
CREATE FUNCTION requests.ended_at(stop requests.clock_stop) RETURNS timestamptz LANGUAGE sql STABLE
RETURN coalesce(stop.restarted_at,
    (SELECT greatest(d.decided_at, stop.stopped_at) FROM requests.decision AS d
     WHERE d.request = stop.request AND d.position >= stop.decision
       AND d.state_before = 'AWAITING_CLARIFICATION' AND d.state_after <> 'AWAITING_CLARIFICATION'
     ORDER BY d.position LIMIT 1));

GRANT SELECT, INSERT, UPDATE ON requests.clock_stop TO requests_runtime;
