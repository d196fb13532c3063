-- Versions of distribution lists. Version 1 is what the register loaded, in `distribution_cell` and `unresolved_group`; it has no row
-- here, and the previous release goes on reading it.

CREATE TABLE collections.distribution_list (
    collection            text        COLLATE "C" NOT NULL CONSTRAINT distribution_list_collection REFERENCES collections.collection,
    version               integer     NOT NULL CONSTRAINT distribution_list_version CHECK (version > 1),
    -- The version that was in force on its first day when it was proposed.
    base_version          integer     NOT NULL CONSTRAINT distribution_list_base CHECK (base_version BETWEEN 1 AND version - 1),
    valid_from            date        NOT NULL,
    state                 text        NOT NULL CONSTRAINT distribution_list_state
        CHECK (state IN ('PROPOSED', 'IN_FORCE', 'REJECTED')),
    copies_total          integer     NOT NULL CONSTRAINT distribution_list_copies_total CHECK (copies_total > 0),
    -- Whether the act changes what was certain before.
    act_changes           boolean     NOT NULL,
    legal_basis_act       text        NOT NULL,
    legal_basis_provision text        NOT NULL,
    legal_basis_uri       text        NOT NULL,
    legal_basis_assumed   boolean     NOT NULL,
    reason                text        NOT NULL,
    proposed_at           timestamptz NOT NULL,
    proposed_by           text        NOT NULL,
    decision_reason       text,
    decided_at            timestamptz,
    decided_by            text,
    CONSTRAINT distribution_list_key PRIMARY KEY (collection, version),
    CONSTRAINT distribution_list_decision CHECK (
        num_nonnulls(decision_reason, decided_at, decided_by) = CASE WHEN state = 'PROPOSED' THEN 0 ELSE 3 END),
    CONSTRAINT distribution_list_four_eyes CHECK (decided_by <> proposed_by)
);
CREATE INDEX distribution_list_in_force ON collections.distribution_list (collection, valid_from, version) WHERE state = 'IN_FORCE';

CREATE TABLE collections.resolved_cell (
    collection            text    COLLATE "C" NOT NULL,
    version               integer NOT NULL,
    appendix_column       integer NOT NULL CONSTRAINT resolved_cell_appendix_column CHECK (appendix_column > 1),
    recipient             text    COLLATE "C" NOT NULL CONSTRAINT resolved_cell_recipient REFERENCES collections.recipient,
    -- Null where the text still does not tell.
    copies                integer CONSTRAINT resolved_cell_copies CHECK (copies >= 0),
    legal_basis_act       text    NOT NULL,
    legal_basis_provision text    NOT NULL,
    legal_basis_uri       text    NOT NULL,
    legal_basis_assumed   boolean NOT NULL,
    CONSTRAINT resolved_cell_key PRIMARY KEY (collection, version, appendix_column),
    CONSTRAINT resolved_cell_recipient_once UNIQUE (collection, version, recipient),
    CONSTRAINT resolved_cell_list FOREIGN KEY (collection, version) REFERENCES collections.distribution_list
);

CREATE TABLE collections.resolved_group (
    collection            text    COLLATE "C" NOT NULL,
    version               integer NOT NULL,
    first_column          integer NOT NULL,
    last_column           integer NOT NULL CONSTRAINT resolved_group_columns CHECK (last_column >= first_column),
    copies                integer NOT NULL CONSTRAINT resolved_group_copies CHECK (copies >= 0),
    legal_basis_act       text    NOT NULL,
    legal_basis_provision text    NOT NULL,
    legal_basis_uri       text    NOT NULL,
    legal_basis_assumed   boolean NOT NULL,
    CONSTRAINT resolved_group_key PRIMARY KEY (collection, version, first_column),
    CONSTRAINT resolved_group_list FOREIGN KEY (collection, version) REFERENCES collections.distribution_list
);

GRANT SELECT, INSERT ON collections.distribution_list, collections.resolved_cell, collections.resolved_group TO collections_runtime;
GRANT UPDATE (state, decision_reason, decided_at, decided_by) ON collections.distribution_list TO collections_runtime;
