-- An order to erase the data of one request is given by two persons, as a rule is: nothing brings back what was erased. While a replica of
-- the release before runs, it carries out an order at once.

-- An order that one person gave, which waits for another to give the same; or that was carried out.
CREATE TABLE requests.erasure_order (
    request               uuid        NOT NULL CONSTRAINT erasure_order_key PRIMARY KEY
        CONSTRAINT erasure_order_request REFERENCES requests.request,
    legal_basis_act       text        NOT NULL CONSTRAINT erasure_order_act CHECK (legal_basis_act <> ''),
    legal_basis_provision text        NOT NULL CONSTRAINT erasure_order_provision CHECK (legal_basis_provision <> ''),
    legal_basis_uri       text        NOT NULL,
    legal_basis_assumed   boolean     NOT NULL,
    reason                text        NOT NULL CONSTRAINT erasure_order_reason CHECK (reason <> ''),
    ordered_at            timestamptz NOT NULL,
    ordered_by            text        NOT NULL
);
GRANT SELECT, INSERT ON requests.erasure_order TO requests_runtime;
GRANT UPDATE (legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed, reason, ordered_at, ordered_by)
    ON requests.erasure_order TO requests_runtime;

-- Null of a rule, and of what a replica of the release before erased.
ALTER TABLE requests.erasure
    ADD ordered_by text,
    ADD CONSTRAINT erasure_ordered_by_another CHECK (ordered_by <> erased_by) NOT VALID;
GRANT INSERT (ordered_by) ON requests.erasure TO requests_runtime;
