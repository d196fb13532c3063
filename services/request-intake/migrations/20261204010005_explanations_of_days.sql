-- What decisions and owed days refer to. Explanations are locked before decisions, in the order in which an extension writes to them, so
-- that neither waits for the other in a circle; nothing is read meanwhile, so writers wait for a moment.

DO $$
BEGIN
    LOCK TABLE requests.explanation IN SHARE ROW EXCLUSIVE MODE;
    ALTER TABLE requests.decision
        ADD CONSTRAINT decision_explanation FOREIGN KEY (explanation) REFERENCES requests.explanation NOT VALID;
    ALTER TABLE requests.owed_day
        ADD CONSTRAINT owed_day_explanation FOREIGN KEY (explanation) REFERENCES requests.explanation NOT VALID;
END
$$;
