-- The due dates move to the kit's table `scheduled`; an edition has a row of its own only from its first file on.
--
-- The previous release, while it still runs beside this schema, finds no due dates: everything about editions fails there
-- with INTERNAL, nothing is answered wrongly or lost, and forms are read as before. So replace all of it at once.

-- Periods without an edition are not taken along, for their rows lack the instant: the service asks for them again.
INSERT INTO forms.scheduled
    (parent, period, position, first_day, last_day, due_date, due_time, provisional, assumed, calendar_version, binding,
     met_at)
SELECT 'forms/' || e.form, e.period, e.form, e.period_first_day, e.period_last_day, e.due_date, e.due_time, e.provisional,
    e.assumed, e.calendar_version, true, p.placed_at
FROM forms.edition e
LEFT JOIN forms.placement p ON (p.form, p.period) = (e.form, e.period) AND p.channel = 'INFORMATION_SERVICE';

DROP TABLE forms.period_without_edition;
DROP TRIGGER edition_due_date_of_placed ON forms.edition;
DROP FUNCTION forms.refuse_due_date_of_placed();

-- A file belongs to what is scheduled: the first one is there before its edition.
ALTER TABLE forms.edition_file DROP CONSTRAINT edition_file_edition;
ALTER TABLE forms.edition_file
    ADD parent text COLLATE "C" NOT NULL GENERATED ALWAYS AS ('forms/' || form::text) STORED,
    ADD CONSTRAINT edition_file_scheduled FOREIGN KEY (parent, period) REFERENCES forms.scheduled;

DELETE FROM forms.edition WHERE state = 'SCHEDULED';
ALTER TABLE forms.edition
    DROP CONSTRAINT edition_state,
    DROP CONSTRAINT edition_file_of_state,
    DROP period_first_day, DROP period_last_day,
    DROP due_date, DROP due_time, DROP provisional, DROP assumed, DROP calendar_version,
    ALTER file SET NOT NULL,
    ADD parent text COLLATE "C" NOT NULL GENERATED ALWAYS AS ('forms/' || form::text) STORED,
    ADD CONSTRAINT edition_state CHECK (state IN ('PREPARED', 'PLACED')),
    ADD CONSTRAINT edition_scheduled FOREIGN KEY (parent, period) REFERENCES forms.scheduled;
