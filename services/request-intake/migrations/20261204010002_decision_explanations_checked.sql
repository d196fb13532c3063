-- Decisions of before are checked by themselves, while others are taken.

ALTER TABLE requests.decision VALIDATE CONSTRAINT decision_explained;
