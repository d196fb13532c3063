-- What falls due in a month is found among all the requests there ever were.

CREATE INDEX request_due_date ON requests.request (due_date, number) WHERE due_date IS NOT NULL;
