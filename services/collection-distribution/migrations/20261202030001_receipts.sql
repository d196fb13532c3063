-- What recipients said of their copies is kept as they said it: receipts with their signatures, and rejections with their reasons; and
-- a copy has more states, each final one with its reason. A replica of the release before cannot read copies in the new states until it
-- is replaced.

ALTER TABLE collections.copy
    -- Why it stands where it stands, in words; null where nothing is to be said, and in rows of the release before.
    ADD status_reason text CONSTRAINT copy_status_reason CHECK (status_reason <> ''),
    -- Since when; null while it stands as it was issued, and in rows of the release before.
    ADD status_at     timestamptz,
    DROP CONSTRAINT copy_state,
    DROP CONSTRAINT copy_receipt_of_state,
    ADD CONSTRAINT copy_state
        CHECK (state IN ('ISSUED', 'SENDING', 'RECEIVED', 'REJECTED', 'FAILED', 'RECALLED')) NOT VALID,
    -- What is recalled may have been received before.
    ADD CONSTRAINT copy_receipt_of_state
        CHECK (CASE state WHEN 'RECEIVED' THEN received_at IS NOT NULL WHEN 'RECALLED' THEN true ELSE received_at IS NULL END)
        NOT VALID,
    ADD CONSTRAINT copy_reason_of_state CHECK (state NOT IN ('REJECTED', 'FAILED') OR status_reason IS NOT NULL) NOT VALID;

-- What nobody has confirmed is found among all the copies there ever were.
CREATE INDEX copy_unconfirmed ON collections.copy (collection, period, number)
    WHERE state IN ('ISSUED', 'SENDING', 'FAILED');

CREATE TABLE collections.receipt (
    collection  text        COLLATE "C" NOT NULL,
    period      text        COLLATE "C" NOT NULL,
    copy_number integer     NOT NULL,
    outcome     text        NOT NULL CONSTRAINT receipt_outcome CHECK (outcome IN ('RECEIVED', 'REJECTED')),
    -- Whether the recipient came and said it, or answered it to a delivery.
    way         text        NOT NULL CONSTRAINT receipt_way CHECK (way IN ('PULL', 'PUSH')),
    -- When the recipient received it, as it says; of a rejection when it was told.
    received_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    -- The name in the certificate of who said it.
    said_by     text        NOT NULL CONSTRAINT receipt_said_by CHECK (said_by <> ''),
    -- The key of the recipient; null for one that was given by its certificate alone.
    signing_key text        COLLATE "C" CONSTRAINT receipt_signing_key CHECK (signing_key <> ''),
    signature   bytea       CONSTRAINT receipt_signature CHECK (octet_length(signature) = 64),
    -- What was signed, byte by byte.
    statement   bytea       CONSTRAINT receipt_statement CHECK (octet_length(statement) > 0),
    reason      text        CONSTRAINT receipt_reason CHECK (reason <> ''),
    -- Whether it came when its delivery had failed.
    late        boolean     NOT NULL,
    -- The first receipt counts, and so does the first rejection.
    CONSTRAINT receipt_key PRIMARY KEY (collection, period, copy_number, outcome),
    CONSTRAINT receipt_of_copy FOREIGN KEY (collection, period, copy_number)
        REFERENCES collections.copy (collection, period, number),
    CONSTRAINT receipt_signed_whole CHECK (num_nonnulls(signing_key, signature, statement) IN (0, 3)),
    CONSTRAINT receipt_reason_of_outcome CHECK ((reason IS NOT NULL) = (outcome = 'REJECTED')),
    CONSTRAINT receipt_in_time CHECK (outcome = 'REJECTED' OR received_at <= recorded_at + interval '5 minutes')
);

-- Which copies were told as overdue, so that each is told once.
CREATE TABLE collections.copy_overdue (
    collection  text        COLLATE "C" NOT NULL,
    period      text        COLLATE "C" NOT NULL,
    copy_number integer     NOT NULL,
    told_at     timestamptz NOT NULL,
    CONSTRAINT copy_overdue_key PRIMARY KEY (collection, period, copy_number),
    CONSTRAINT copy_overdue_of_copy FOREIGN KEY (collection, period, copy_number)
        REFERENCES collections.copy (collection, period, number)
);

GRANT UPDATE (status_reason, status_at) ON collections.copy TO collections_runtime;
GRANT SELECT, INSERT ON collections.receipt, collections.copy_overdue TO collections_runtime;
