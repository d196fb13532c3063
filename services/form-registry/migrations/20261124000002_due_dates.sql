-- The due date of an edition that is not placed yet follows the calendar.

GRANT UPDATE (due_date, due_time, provisional, assumed, calendar_version) ON forms.edition TO forms_runtime;

-- What is placed on the information service was due on the day it was due.
CREATE FUNCTION forms.refuse_due_date_of_placed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM forms.placement p
               WHERE (p.form, p.period) = (OLD.form, OLD.period) AND p.channel = 'INFORMATION_SERVICE') THEN
        RAISE EXCEPTION 'the due date of a placed edition never moves'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'edition_due_date_of_placed';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER edition_due_date_of_placed BEFORE UPDATE OF due_date, due_time ON forms.edition
    FOR EACH ROW EXECUTE FUNCTION forms.refuse_due_date_of_placed();
