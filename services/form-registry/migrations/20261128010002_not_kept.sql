-- What was due before the day from which the installation answers can be placed afterwards: then nobody says whether in time.

ALTER TABLE forms.placement
    DROP CONSTRAINT placement_punctuality,
    ADD CONSTRAINT placement_punctuality CHECK (punctuality IN ('ON_TIME', 'LATE', 'NOT_KEPT'));
