-- The journal knows in which transaction each entry was written: the order of numbers is not the order of commits, and what
-- seals the journal later must not pass over an entry that commits late. Entries made before this have this transaction.

ALTER TABLE journal_entry ADD COLUMN transaction xid8 NOT NULL DEFAULT pg_current_xact_id();
