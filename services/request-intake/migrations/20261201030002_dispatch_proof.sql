-- What proves a dispatch can be a file, the receipt of a post office say. It is a file of its request that only officials see; a
-- replica of the release before shows it among the others, until it is replaced.

ALTER TABLE requests.dispatch ADD proof_file uuid
    CONSTRAINT dispatch_proof_file REFERENCES requests.attachment
    CONSTRAINT dispatch_proof_file_once UNIQUE;
