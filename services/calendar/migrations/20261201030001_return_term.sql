-- An application whose defects were not cured is given back within a time of its term, which a calendar that is in use learns here. A
-- replica of the release before passes it over.

ALTER TABLE calendar.term_span
    DROP CONSTRAINT term_span_role,
    ADD CONSTRAINT term_span_role
        CHECK (role IN ('BASE', 'LONG_BASE', 'EXTENSION', 'EXTENSION_NOTICE', 'FORWARDING', 'RETURN')) NOT VALID;

INSERT INTO calendar.term_span (term_rule, role, length, unit, note_kk, note_ru, note_en, provision, grade)
SELECT id, 'RETURN', 3, 'WORKING_DAY', '', '', '', CASE name WHEN 'application-2007' THEN '' ELSE 'art. 64(6)' END,
    CASE name WHEN 'application-2007' THEN 'D' ELSE 'A' END
FROM calendar.term_rule WHERE name IN ('application-2007', 'application-2021', 'application-2026');
