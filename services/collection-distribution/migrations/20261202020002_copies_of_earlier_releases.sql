-- Holds the copies of earlier releases to what new ones hold to; nothing waits while they are read.

ALTER TABLE collections.copy
    VALIDATE CONSTRAINT copy_state,
    VALIDATE CONSTRAINT copy_receipt_of_state,
    VALIDATE CONSTRAINT copy_recall_of_state,
    VALIDATE CONSTRAINT copy_statement,
    VALIDATE CONSTRAINT copy_ordinal_of_total,
    VALIDATE CONSTRAINT copy_sha256_length,
    VALIDATE CONSTRAINT copy_signature_length,
    VALIDATE CONSTRAINT copy_content;
