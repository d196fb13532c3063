-- That a requester was told of a forwarding or an extension is recorded when it happens, by which means and by whom. A table of its own: a
-- decision with another verb could not be read by a replica of the release before, which does not look here.

CREATE TABLE requests.notice (
    request     uuid        NOT NULL,
    decision    integer     NOT NULL,
    notified_on date        NOT NULL,
    means       text        NOT NULL CONSTRAINT notice_means
        CHECK (means IN ('UNIFIED_EDMS', 'KADAGALAU', 'E_GOVERNMENT', 'POST', 'IN_PERSON', 'EMAIL', 'TELEPHONE')),
    recorded_by text        NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT notice_key PRIMARY KEY (request, decision),
    CONSTRAINT notice_decision FOREIGN KEY (request, decision) REFERENCES requests.decision
);
GRANT SELECT, INSERT ON requests.notice TO requests_runtime;
