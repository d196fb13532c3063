-- How the calendar came to the day that a decision tells (by when the requester is to be told, or of a return until when it was to be
-- given back) stays with the decision as it was then. Decisions of before, and those of a replica of the release before, have none. That it
-- refers to an explanation is added by itself: whoever extends a request writes to explanations first and to decisions then.

ALTER TABLE requests.decision
    ADD explanation                  bytea,
    ADD explanation_provisional      boolean,
    ADD explanation_assumed          boolean,
    ADD explanation_calendar_version text,
    ADD explanation_term             text,
    ADD CONSTRAINT decision_explained CHECK (
        num_nonnulls(explanation, explanation_provisional, explanation_assumed, explanation_calendar_version, explanation_term)
        IN (0, 5)) NOT VALID;
