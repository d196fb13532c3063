-- What may be done with a request after its examination, on which ground, in which capacity and by which law.

CREATE TABLE requests.verb_rule (
    verb                  text    NOT NULL,
    -- Empty where the verb has one ground only.
    ground                text    NOT NULL CONSTRAINT verb_rule_ground CHECK (ground ~ '^[A-Z_]{0,60}$'),
    requester_kind        text    NOT NULL CONSTRAINT verb_rule_requester_kind
        CHECK (requester_kind IN ('STATE_BODY', 'PROSECUTOR_BODY', 'INDIVIDUAL', 'LEGAL_ENTITY')),
    -- Who decides, of those that the approver's role stands for; empty when that does not matter.
    capacities            text[]  NOT NULL CONSTRAINT verb_rule_capacities
        CHECK (capacities <@ ARRAY['HEAD', 'DEPUTY', 'HEAD_OF_APPARATUS']),
    -- From where an extension counts.
    counted_from          text    CONSTRAINT verb_rule_counted_from CHECK (counted_from IN ('DECISION', 'DUE_DATE')),
    -- The bounds of the time for curing defects, in calendar days after the day of the question.
    shortest_days         integer,
    usual_days            integer,
    longest_days          integer,
    text_kk               text    NOT NULL,
    text_ru               text    NOT NULL,
    text_en               text    NOT NULL,
    legal_basis_act       text    NOT NULL,
    legal_basis_provision text    NOT NULL,
    legal_basis_uri       text    NOT NULL,
    legal_basis_assumed   boolean NOT NULL,
    grade                 text    NOT NULL CONSTRAINT verb_rule_grade CHECK (grade IN ('A', 'B', 'C', 'D')),
    valid_from            date    NOT NULL,
    valid_to              date    CONSTRAINT verb_rule_validity CHECK (valid_to >= valid_from),
    CONSTRAINT verb_rule_key PRIMARY KEY (verb, ground, requester_kind, valid_from),
    CONSTRAINT verb_rule_days CHECK (
        num_nonnulls(shortest_days, usual_days, longest_days) = 0
        OR (num_nonnulls(shortest_days, usual_days, longest_days) = 3
            AND 0 < shortest_days AND shortest_days <= usual_days AND usual_days <= longest_days AND longest_days <= 366))
);
CREATE TRIGGER rule_change AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON requests.verb_rule
    FOR EACH STATEMENT EXECUTE FUNCTION requests.count_rule_change();

GRANT SELECT, INSERT ON requests.verb_rule TO requests_runtime;
