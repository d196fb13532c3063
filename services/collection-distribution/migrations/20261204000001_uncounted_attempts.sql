-- An attempt to deliver a copy does not use up one of the schedule where its replica was stopped or lost, or where the server has taken
-- more of the copy: how many such there were, so that they have an end, and how much the server has said that it has. The release before
-- writes neither, and counts as it did.

ALTER TABLE collections.delivery
    -- Since the issue, or since it was delivered anew.
    ADD spared         integer NOT NULL DEFAULT 0,
    ADD received_bytes bigint  NOT NULL DEFAULT 0,
    ADD CONSTRAINT delivery_spared CHECK (spared >= 0) NOT VALID,
    ADD CONSTRAINT delivery_received_bytes CHECK (received_bytes >= 0) NOT VALID;
