-- Which request a version of an answer answers: the digest of what was asked for when it was drafted. One that a replica of the
-- release before makes has none; it is drafted again before anything follows from it.

ALTER TABLE requests.answer
    ADD submission_sha256 bytea,
    ADD CONSTRAINT answer_submission_sha256 CHECK (octet_length(submission_sha256) = 32) NOT VALID;
