-- The rows of before keep the constraint too; that is seen while answers go on being drafted.

ALTER TABLE requests.answer VALIDATE CONSTRAINT answer_submission_sha256;
