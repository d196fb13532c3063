-- The rows of before keep the constraints on what is erased too; that is seen while requests go on being accepted.

ALTER TABLE requests.request VALIDATE CONSTRAINT request_erased;
ALTER TABLE requests.attachment VALIDATE CONSTRAINT attachment_filename;
ALTER TABLE requests.attachment VALIDATE CONSTRAINT attachment_erased;
