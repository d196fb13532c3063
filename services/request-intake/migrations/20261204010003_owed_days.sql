-- By which day a request is given back or forwarded is computed by a job and kept, so that whoever reads the request asks nobody else. A
-- replica of the release before asks the calendar itself and does not look here.

CREATE TABLE requests.owed_day (
    request          uuid    NOT NULL CONSTRAINT owed_day_key PRIMARY KEY CONSTRAINT owed_day_request REFERENCES requests.request,
    -- Null when nothing of the kind is owed.
    owed             text    CONSTRAINT owed_day_owed CHECK (owed IN ('RETURN', 'FORWARDING')),
    -- The last day for curing the defects, of a return.
    counted_from     date,
    -- Null when the term has no such time.
    registered_on    date,
    due_date         date,
    due_time         timestamptz,
    provisional      boolean,
    assumed          boolean,
    calendar_version text,
    term             text,
    explanation      bytea,
    -- As of which version of the request, which revision of the rules and which act of the calendar; it is computed again after another one.
    version          integer NOT NULL,
    rules_revision   bigint  NOT NULL,
    followed         timestamptz,
    CONSTRAINT owed_day_counted CHECK ((counted_from IS NOT NULL) = (owed IS NOT DISTINCT FROM 'RETURN')),
    CONSTRAINT owed_day_computed CHECK (
        num_nonnulls(registered_on, due_date, due_time, provisional, assumed, calendar_version, term, explanation) IN (0, 8)
        AND (owed IS NOT NULL OR due_date IS NULL))
);

GRANT SELECT, INSERT, UPDATE ON requests.owed_day TO requests_runtime;
