-- A due date that the calendar does not compute is entered by an official. No calendar moves it. Null where the calendar computed it.

ALTER TABLE requests.request ADD due_by_hand boolean CONSTRAINT request_due_by_hand CHECK (due_by_hand);

GRANT UPDATE (due_by_hand) ON requests.request TO requests_runtime;
