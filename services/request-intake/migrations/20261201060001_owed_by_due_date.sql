-- What is owed is listed by its due date, a page at a time, whatever was answered before it: a page needs the number behind the day.
-- The index takes the place of the one by which warnings are found, and serves them too; no statement names either.

CREATE INDEX request_owed_by_due_date ON requests.request (due_date, number)
    WHERE state IN ('REGISTERED', 'IN_PREPARATION', 'AWAITING_CLARIFICATION') AND due_date IS NOT NULL;
DROP INDEX requests.request_owed;
