-- A law may let the clock of a term stop: the contract shows it, and without it suspensions are refused.

ALTER TABLE calendar.term_rule
    -- The provision of `basis_act` that lets the clock stop; null when it cannot be stopped.
    ADD COLUMN suspension_provision text,
    ADD COLUMN suspension_assumed   boolean,
    ADD CONSTRAINT term_rule_suspension CHECK ((suspension_provision IS NULL) = (suspension_assumed IS NULL));
