-- What each verb leaves besides a decision: the day that it set, whom a request went to, what an official found of its checks,
-- which of its fields were changed. A replica of the release before shows what was asked of a requester as if nothing had been
-- supplied, until it is replaced.

ALTER TABLE requests.decision
    ADD ground      text,
    ADD to_body     text,
    -- The items passed on; null when all were, or none.
    ADD items       integer[],
    ADD until       date,
    ADD notify_by   date,
    ADD notified_on date;

ALTER TABLE requests.request
    -- The last day that an official set for curing defects.
    ADD cure_by date,
    -- Which time of its term its due date is of; null for the plain one.
    ADD due_part text CONSTRAINT request_due_part CHECK (due_part IN ('LONG_BASE', 'EXTENSION')),
    -- The day after which an extension counts, and the last day that was chosen for it; null for the most that the term allows.
    ADD extension_counted_from date,
    ADD extension_until        date;

-- What was registered is examined again when its fields are mended or supplied.
ALTER TABLE requests.request
    DROP CONSTRAINT request_pending_is_received,
    ADD CONSTRAINT request_pending_goes_on
        CHECK (NOT examination_pending OR state IN ('RECEIVED', 'REGISTERED', 'IN_PREPARATION')) NOT VALID;

-- What a requester was asked for, whatever asked; a field is asked about once by an official.
ALTER TABLE requests.clarification
    ADD field       text,
    -- The official's question; null for what the examination found missing.
    ADD decision    integer,
    -- Null while it is open.
    ADD provided_at timestamptz;
CREATE UNIQUE INDEX clarification_asked_once ON requests.clarification (request, field) WHERE decision IS NOT NULL;

-- What an official found of a check.
CREATE TABLE requests.check_review (
    request  uuid    NOT NULL,
    decision integer NOT NULL,
    finding  uuid    NOT NULL CONSTRAINT check_review_finding REFERENCES requests.finding,
    kept     boolean NOT NULL,
    CONSTRAINT check_review_key PRIMARY KEY (request, decision, finding),
    -- The decision is written after what belongs to it.
    CONSTRAINT check_review_decision FOREIGN KEY (request, decision) REFERENCES requests.decision DEFERRABLE INITIALLY DEFERRED
);

-- A field as it was before it was mended or supplied, and as it is since: personal data too.
CREATE TABLE requests.changed_field (
    request  uuid    NOT NULL,
    decision integer NOT NULL,
    field    text    NOT NULL,
    before   text    NOT NULL,
    after    text    NOT NULL,
    CONSTRAINT changed_field_key PRIMARY KEY (request, decision, field),
    CONSTRAINT changed_field_decision FOREIGN KEY (request, decision) REFERENCES requests.decision DEFERRABLE INITIALLY DEFERRED
);

GRANT SELECT, INSERT ON requests.check_review, requests.changed_field TO requests_runtime;
GRANT UPDATE (provided_at) ON requests.clarification TO requests_runtime;
GRANT UPDATE (cure_by, asked, due_part, extension_counted_from, extension_until, external_number, external_date, addressee, essence,
    language, requester_full_name, requester_bin, requester_iin, requester_postal_address, signatory_full_name,
    signatory_capacity) ON requests.request TO requests_runtime;
GRANT UPDATE (kind, description, unit, period, until_period, form, indicator, detail, territories) ON requests.item
TO requests_runtime;

-- What was submitted changes only together with a record of what was there before. The owner erases without one.
CREATE FUNCTION requests.require_changed_field() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed uuid := to_jsonb(NEW) ->> TG_ARGV[0];
BEGIN
    IF pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'USAGE') THEN
        RETURN NULL;
    END IF;
    IF NOT EXISTS (SELECT FROM requests.changed_field
                   WHERE request = changed AND changed_field.xmin = pg_current_xact_id()::xid) THEN
        RAISE insufficient_privilege USING MESSAGE = 'what was submitted changes only with a record of what was there before';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER request_changed AFTER UPDATE ON requests.request DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN ((OLD.external_number, OLD.external_date, OLD.addressee, OLD.essence, OLD.language, OLD.requester_full_name,
           OLD.requester_bin, OLD.requester_iin, OLD.requester_postal_address, OLD.signatory_full_name, OLD.signatory_capacity)
          IS DISTINCT FROM
          (NEW.external_number, NEW.external_date, NEW.addressee, NEW.essence, NEW.language, NEW.requester_full_name,
           NEW.requester_bin, NEW.requester_iin, NEW.requester_postal_address, NEW.signatory_full_name, NEW.signatory_capacity))
    EXECUTE FUNCTION requests.require_changed_field('id');
CREATE CONSTRAINT TRIGGER item_changed AFTER UPDATE ON requests.item DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD IS DISTINCT FROM NEW)
    EXECUTE FUNCTION requests.require_changed_field('request');
