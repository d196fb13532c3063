-- The rows of before keep the wider constraints too; that is seen while requests go on being accepted.

ALTER TABLE requests.request VALIDATE CONSTRAINT request_state;
ALTER TABLE requests.request VALIDATE CONSTRAINT request_registered;
