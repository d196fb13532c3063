-- The rows of before keep these constraints too; that is seen while copies go on being read and confirmed.

ALTER TABLE collections.copy VALIDATE CONSTRAINT copy_list_version;
ALTER TABLE collections.receipt VALIDATE CONSTRAINT receipt_successor;
