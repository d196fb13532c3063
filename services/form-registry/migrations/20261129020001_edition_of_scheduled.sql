-- An edition is looked up by what is scheduled, whose key is in another collation than the primary key of editions: without this index
-- every reading of one edition reads all of them.
CREATE INDEX edition_scheduled ON forms.edition (parent, period COLLATE "C");
