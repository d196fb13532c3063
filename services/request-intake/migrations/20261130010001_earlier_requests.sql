-- What a request may be the duplicate of, or may repeat; applications of persons that lack a number or a date; and the editions
-- that show a finding.

-- The date of an application is asked for, not demanded. That a body gives both number and date or neither stays; rows that
-- stand keep the stricter rule that they were stored under.
ALTER TABLE requests.request
    DROP CONSTRAINT request_external,
    ADD CONSTRAINT request_external CHECK (
        (external_number IS NULL) = (external_date IS NULL) OR requester_kind IN ('INDIVIDUAL', 'LEGAL_ENTITY')) NOT VALID,
    -- No foreign keys: nothing deletes requests, and each repetition would lock the first.
    ADD likely_duplicate_of uuid,
    ADD repeats uuid,
    -- The first 64 bits of the SHA-256 of who asks for what; null when nothing is asked for, and for requests of the release before,
    -- whose repetitions are not noticed.
    ADD asked bigint;

CREATE INDEX request_asked ON requests.request (asked, number) WHERE asked IS NOT NULL;

-- The open editions that show a finding. As much a part of it as its text: its id follows from them too.
CREATE TABLE requests.finding_edition (
    finding  uuid    NOT NULL CONSTRAINT finding_edition_finding REFERENCES requests.finding,
    position integer NOT NULL,
    edition  text    NOT NULL,
    address  text    NOT NULL,
    sha256   text    NOT NULL,
    figures  bigint  NOT NULL CONSTRAINT finding_edition_figures CHECK (figures >= 0),
    CONSTRAINT finding_edition_key PRIMARY KEY (finding, position)
);

GRANT INSERT (likely_duplicate_of, repeats, asked) ON requests.request TO requests_runtime;
GRANT SELECT, INSERT ON requests.finding_edition TO requests_runtime;
