-- Copies that were rejected or recalled are few among all that there ever were, and are found by their state; those that are unconfirmed
-- have an index already. Building it reads the copies once, while writes of copies wait: seconds where there are millions.

CREATE INDEX copy_turned_away ON collections.copy (collection, period, number) WHERE state IN ('REJECTED', 'RECALLED');
