-- A request goes on after its registration: more states, who has it, what was decided of it, and which version of it a caller has
-- seen. A replica of the release before cannot read requests in the new states until it is replaced.

ALTER TABLE requests.request
    -- Counts the changes since the request was accepted.
    ADD version    integer     NOT NULL DEFAULT 0,
    -- Null while nothing has changed since.
    ADD changed_at timestamptz,
    ADD assignee   text,
    DROP CONSTRAINT request_state,
    DROP CONSTRAINT request_registered,
    ADD CONSTRAINT request_state
        CHECK (state IN ('RECEIVED', 'AWAITING_CLARIFICATION', 'REGISTERED', 'LEFT_WITHOUT_CONSIDERATION', 'IN_PREPARATION',
            'ANSWERED', 'FORWARDED', 'RETURNED', 'TERMINATED', 'WITHDRAWN')) NOT VALID,
    -- What ends or waits may have been registered before.
    ADD CONSTRAINT request_registered CHECK (
        num_nonnulls(registration_number, registered_on, due_date, due_time, due_provisional, due_assumed,
            due_calendar_version, due_term)
        IN (CASE WHEN state IN ('REGISTERED', 'IN_PREPARATION', 'ANSWERED') THEN 8 ELSE 0 END,
            CASE WHEN state = 'RECEIVED' THEN 0 ELSE 8 END)) NOT VALID;

-- Whoever changes a request, a replica of the release before too, makes another version of it.
CREATE FUNCTION requests.count_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.version := OLD.version + 1;
    RETURN NEW;
END
$$;
CREATE TRIGGER request_version BEFORE UPDATE ON requests.request FOR EACH ROW EXECUTE FUNCTION requests.count_change();

-- What was done with a request after its examination, in order.
CREATE TABLE requests.decision (
    request               uuid        NOT NULL CONSTRAINT decision_request REFERENCES requests.request,
    position              integer     NOT NULL,
    verb                  text        NOT NULL,
    decided_by            text        NOT NULL,
    capacity              text        CONSTRAINT decision_capacity CHECK (capacity IN ('HEAD', 'DEPUTY', 'HEAD_OF_APPARATUS')),
    decided_at            timestamptz NOT NULL,
    state_before          text        NOT NULL,
    state_after           text        NOT NULL,
    reason                text        NOT NULL,
    legal_basis_act       text,
    legal_basis_provision text,
    legal_basis_uri       text,
    legal_basis_assumed   boolean,
    CONSTRAINT decision_key PRIMARY KEY (request, position),
    CONSTRAINT decision_legal_basis CHECK (
        num_nonnulls(legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed) IN (0, 4))
);

GRANT SELECT, INSERT ON requests.decision TO requests_runtime;
GRANT UPDATE (changed_at, assignee) ON requests.request TO requests_runtime;
