-- The rows of before keep the wider constraints too; that is seen while copies go on being read and confirmed.

ALTER TABLE collections.copy VALIDATE CONSTRAINT copy_state;
ALTER TABLE collections.copy VALIDATE CONSTRAINT copy_receipt_of_state;
ALTER TABLE collections.copy VALIDATE CONSTRAINT copy_reason_of_state;
