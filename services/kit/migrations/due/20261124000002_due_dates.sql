-- Open due dates follow the calendar: how far a service has followed it, and which dates moved. Empty where none are held.

CREATE TABLE calendar_following (
    -- There is one row.
    only_row     boolean     NOT NULL DEFAULT true CONSTRAINT calendar_following_key PRIMARY KEY
                             CONSTRAINT calendar_following_only_row CHECK (only_row),
    -- The last change of the calendar after which every open due date was recomputed; empty before the first.
    resume_token text        NOT NULL,
    -- The newest change taken up: a due date computed without it is not stored any more.
    known_from   timestamptz
);
INSERT INTO calendar_following (resume_token) VALUES ('');

-- What was promised before, and what changed it. The journal entry and the event of a move stand beside it.
CREATE TABLE due_date_change (
    number               bigint      GENERATED ALWAYS AS IDENTITY CONSTRAINT due_date_change_key PRIMARY KEY,
    resource             text        NOT NULL,
    changed_at           timestamptz NOT NULL,
    change               text        NOT NULL CONSTRAINT due_date_change_change
                                     CHECK (change IN ('ACT_RECORDED', 'ACT_WITHDRAWN', 'REGISTERS_LOADED')),
    -- Empty when registers were loaded.
    calendar_act         text        NOT NULL,
    old_due_date         date        NOT NULL,
    new_due_date         date        NOT NULL CONSTRAINT due_date_change_moves CHECK (new_due_date <> old_due_date),
    old_calendar_version text        NOT NULL,
    new_calendar_version text        NOT NULL
);
CREATE INDEX due_date_change_resource ON due_date_change (resource, number);

DO $$
DECLARE
    runtime text := current_schema() || '_runtime';
BEGIN
    EXECUTE format('GRANT SELECT, UPDATE (resume_token, known_from) ON calendar_following TO %I', runtime);
    EXECUTE format('GRANT SELECT, INSERT ON due_date_change TO %I', runtime);
END
$$;
