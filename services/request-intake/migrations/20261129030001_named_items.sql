-- What an item names besides its words: an indicator or a detail of an accounting document, and territories.
ALTER TABLE requests.item
    ADD indicator   text,
    ADD detail      text,
    ADD territories text[] NOT NULL DEFAULT '{}',
    ADD CONSTRAINT item_names_one CHECK (num_nonnulls(indicator, detail) <= 1);
