-- What GetRequest sends to the database, in its order. pgbench runs it beside the service; the bench says when the service
-- sends something else. Besides :id (the UUID) there are :name (requests/ and the UUID), :ids and :names (arrays of the
-- one), :rounds (the round that counts) and :caller.
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SELECT id, accepted_by, accepted_at, coupon_number, received_at, channel, external_number, external_date,
    addressee, essence, language, requester_kind, requester_full_name, requester_bin, requester_iin,
    requester_postal_address, signatory_full_name, signatory_capacity, state, examination_round, examined_at,
    registration_number, registered_on, due_date, due_time, due_provisional, due_assumed, due_calendar_version,
    due_term
FROM requests.request WHERE id = ANY(:ids);
SELECT request, kind, description, unit, period, until_period, form
FROM requests.item WHERE request = ANY(:ids) ORDER BY request, position;
SELECT request, rule, outcome, field, text_kk, text_ru, text_en, legal_basis_act, legal_basis_provision,
    legal_basis_uri, legal_basis_assumed
FROM requests.examination_check
JOIN unnest(:ids::uuid[], :rounds::integer[]) AS current (request, round) USING (request, round)
ORDER BY request, position;
SELECT request, text_kk, text_ru, text_en
FROM requests.clarification WHERE request = ANY(:ids) ORDER BY request, position;
SELECT r.id AS "request!", s.position AS "position!", s.date AS "date!: jiff_sqlx::Date", s.effect AS "effect!",
    s.text_kk AS "text_kk!", s.text_ru AS "text_ru!", s.text_en AS "text_en!",
    s.legal_basis_act AS "legal_basis_act!", s.legal_basis_provision AS "legal_basis_provision!",
    s.legal_basis_uri AS "legal_basis_uri!", s.legal_basis_assumed AS "legal_basis_assumed!"
FROM requests.request r JOIN requests.explanation_step s ON s.explanation = r.explanation
WHERE r.id = ANY(:ids)
UNION ALL
SELECT d.request, d.position, d.date, d.effect, d.text_kk, d.text_ru, d.text_en, d.legal_basis_act,
    d.legal_basis_provision, d.legal_basis_uri, d.legal_basis_assumed
FROM requests.deadline_step d JOIN requests.request r ON r.id = d.request
WHERE d.request = ANY(:ids) AND r.explanation IS NULL
ORDER BY 1, 2;
SELECT resource, changed_at, change, calendar_act, old_due_date, new_due_date, old_calendar_version,
    new_calendar_version
FROM due_date_change WHERE resource = ANY(:names) ORDER BY number;
ROLLBACK;
