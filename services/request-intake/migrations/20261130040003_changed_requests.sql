-- Requests in the order in which they changed last, and those that an official has.

CREATE INDEX request_update_time ON requests.request ((coalesce(changed_at, accepted_at)), number);
CREATE INDEX request_assignee ON requests.request (assignee, number) WHERE assignee IS NOT NULL;
