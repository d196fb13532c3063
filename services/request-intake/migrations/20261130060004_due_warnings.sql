-- Which due dates were warned of, so that each is told once; and what is owed by a day is found among all the requests there ever
-- were.

CREATE TABLE requests.due_warning (
    request     uuid        NOT NULL CONSTRAINT due_warning_request REFERENCES requests.request,
    due_date    date        NOT NULL,
    -- How many days before it; -1 once it has passed.
    days_before integer     NOT NULL CONSTRAINT due_warning_days_before CHECK (days_before >= -1),
    warned_at   timestamptz NOT NULL,
    CONSTRAINT due_warning_key PRIMARY KEY (request, due_date, days_before)
);
CREATE INDEX request_owed ON requests.request (due_date)
    WHERE state IN ('REGISTERED', 'IN_PREPARATION', 'AWAITING_CLARIFICATION') AND due_date IS NOT NULL;

GRANT SELECT, INSERT ON requests.due_warning TO requests_runtime;
