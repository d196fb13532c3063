-- The due date of an edition that is not released yet follows the calendar.

GRANT UPDATE (due_date, due_time, provisional, assumed, calendar_version) ON collections.edition TO collections_runtime;

-- What is released was due on the day it was due.
CREATE FUNCTION collections.refuse_due_date_of_released() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the due date of a released edition never moves'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'edition_due_date_of_released';
END
$$;
CREATE TRIGGER edition_due_date_of_released BEFORE UPDATE OF due_date, due_time ON collections.edition
    FOR EACH ROW WHEN (OLD.state = 'RELEASED') EXECUTE FUNCTION collections.refuse_due_date_of_released();
