-- When a document was sent, as the system that brings it says: document systems carry it beside the number and the date. Null where nobody
-- said, and of requests of before. A replica of the release before neither reads nor writes it.

ALTER TABLE requests.request ADD sent_at timestamptz;

GRANT INSERT (sent_at) ON requests.request TO requests_runtime;
