-- The schedule of duties: who owes what for which period, by when, and whether it was met. Only where a service keeps one.

CREATE TABLE scheduled (
    -- Whose duty it is, by its resource name: forms/1.
    parent           text        COLLATE "C" NOT NULL,
    period           text        COLLATE "C" NOT NULL,
    -- The parent's place among what falls due on one day; those of one place stand by name.
    position         integer     NOT NULL,
    first_day        date        NOT NULL,
    last_day         date        NOT NULL CONSTRAINT scheduled_period CHECK (last_day > first_day),
    due_date         date        NOT NULL CONSTRAINT scheduled_due_date CHECK (due_date > last_day),
    due_time         timestamptz NOT NULL,
    provisional      boolean     NOT NULL,
    assumed          boolean     NOT NULL,
    calendar_version text        NOT NULL,
    -- False when it falls due outside the days on which the duty holds: the row is there so that nobody asks about it again.
    binding          boolean     NOT NULL,
    met_at           timestamptz CONSTRAINT scheduled_met CHECK (binding OR met_at IS NULL),
    CONSTRAINT scheduled_key PRIMARY KEY (parent, period)
);
CREATE INDEX scheduled_order ON scheduled (due_date, position, parent, period) WHERE binding;

-- What is met was due on the day it was due.
CREATE FUNCTION refuse_to_move_what_is_met() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the due date of what is met never moves'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'scheduled_met_stays';
END
$$;
CREATE TRIGGER scheduled_met_stays BEFORE UPDATE OF due_date, due_time, met_at ON scheduled
    FOR EACH ROW WHEN (OLD.met_at IS NOT NULL) EXECUTE FUNCTION refuse_to_move_what_is_met();

DO $$
BEGIN
    EXECUTE format('GRANT SELECT, INSERT, UPDATE (due_date, due_time, provisional, assumed, calendar_version, met_at)
                    ON scheduled TO %I', current_schema() || '_runtime');
END
$$;
