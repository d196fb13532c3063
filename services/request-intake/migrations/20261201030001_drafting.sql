-- Answers that need no judgement are drafted by a job as soon as their request is registered. Registration numbers come to be seen in
-- their order, since the year's counter is locked until they are: up to which of them requests were looked at tells which are new.

CREATE TABLE requests.draft_progress (
    year integer NOT NULL CONSTRAINT draft_progress_key PRIMARY KEY,
    last integer NOT NULL CONSTRAINT draft_progress_last CHECK (last >= 0)
);
-- What was registered before is drafted by officials, as it was.
INSERT INTO requests.draft_progress (year, last) SELECT year, last FROM requests.registration_counter;

-- Requests that nothing speaks against, until their answer is drafted or turns out to need an official.
CREATE TABLE requests.draft_waiting (
    number  bigint NOT NULL CONSTRAINT draft_waiting_key PRIMARY KEY,
    request uuid   NOT NULL CONSTRAINT draft_waiting_request REFERENCES requests.request,
    CONSTRAINT draft_waiting_once UNIQUE (request)
);

GRANT SELECT, INSERT ON requests.draft_progress TO requests_runtime;
GRANT UPDATE (last) ON requests.draft_progress TO requests_runtime;
GRANT SELECT, INSERT, DELETE ON requests.draft_waiting TO requests_runtime;
