-- A due date moves also when what is due gets other terms: which version brought them, and why.

ALTER TABLE due_date_change
    DROP CONSTRAINT due_date_change_change,
    ADD CONSTRAINT due_date_change_change
        CHECK (change IN ('ACT_RECORDED', 'ACT_WITHDRAWN', 'REGISTERS_LOADED', 'TERMS_CHANGED')),
    ADD terms  text NOT NULL DEFAULT '',
    ADD reason text NOT NULL DEFAULT '',
    ADD CONSTRAINT due_date_change_terms CHECK ((change = 'TERMS_CHANGED') = (terms <> ''));
