-- The rows of before keep these constraints too; that is seen while copies go on being delivered.

ALTER TABLE collections.delivery VALIDATE CONSTRAINT delivery_spared;
ALTER TABLE collections.delivery VALIDATE CONSTRAINT delivery_received_bytes;
