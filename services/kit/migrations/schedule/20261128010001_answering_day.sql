-- From which day a service answers for what falls due, and duties whose terms change: a period can cease to be binding.

CREATE TABLE answering_day (
    -- The order in which days were set; the last one counts.
    number integer     NOT NULL CONSTRAINT answering_day_key PRIMARY KEY CONSTRAINT answering_day_number CHECK (number > 0),
    day    date        NOT NULL,
    reason text        NOT NULL CONSTRAINT answering_day_reason CHECK (reason <> ''),
    set_at timestamptz NOT NULL,
    set_by text        NOT NULL
);

-- What was due before that day and met all the same: `met_at` is then the instant of the recording.
ALTER TABLE scheduled
    ADD recorded_afterwards boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT scheduled_recorded_afterwards CHECK (met_at IS NOT NULL OR NOT recorded_afterwards);

DROP TRIGGER scheduled_met_stays ON scheduled;
CREATE TRIGGER scheduled_met_stays BEFORE UPDATE OF due_date, due_time, met_at, recorded_afterwards, binding ON scheduled
    FOR EACH ROW WHEN (OLD.met_at IS NOT NULL) EXECUTE FUNCTION refuse_to_move_what_is_met();

DO $$
DECLARE
    runtime text := current_schema() || '_runtime';
BEGIN
    EXECUTE format('GRANT SELECT, INSERT ON answering_day TO %I', runtime);
    EXECUTE format('GRANT UPDATE (recorded_afterwards, binding) ON scheduled TO %I', runtime);
END
$$;
