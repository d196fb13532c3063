-- The rows of before keep the wider constraint too; that is seen while requests go on being accepted.

ALTER TABLE requests.request VALIDATE CONSTRAINT request_pending_goes_on;
