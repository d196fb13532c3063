-- A copy keeps by which version of its distribution list it was issued, and a receipt who gave it where the copy's recipient had ended
-- and another follows it. Both are null in rows of the release before, which goes on beside this schema and writes neither; it shows a
-- receipt of a successor as the recipient's own until it is replaced.

ALTER TABLE collections.copy
    -- 1 is the register's, which has no row in distribution_list.
    ADD list_version integer,
    ADD CONSTRAINT copy_list_version CHECK (list_version > 0) NOT VALID;
ALTER TABLE collections.receipt
    -- The recipient that spoke for the copy's own, and whose key signed.
    ADD successor text COLLATE "C",
    ADD CONSTRAINT receipt_successor FOREIGN KEY (successor) REFERENCES collections.recipient NOT VALID;
