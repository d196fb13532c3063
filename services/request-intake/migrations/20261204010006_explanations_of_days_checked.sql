-- Holds what is there to what it refers to; nothing waits while it is read.

ALTER TABLE requests.decision VALIDATE CONSTRAINT decision_explanation;
ALTER TABLE requests.owed_day VALIDATE CONSTRAINT owed_day_explanation;
