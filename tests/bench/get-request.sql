-- What GetRequest sends to the database, in its order. pgbench runs it beside the service; the bench says when the service
-- sends something else. Besides :id (the UUID) there are :name (requests/ and the UUID), :ids and :names (arrays of the
-- one), :rounds (the round that counts) and :caller.
SELECT r.id, r.accepted_by, r.accepted_at, r.coupon_number, r.received_at, r.channel, r.external_number,
    r.external_date, r.addressee, r.essence, r.language, r.requester_kind, r.requester_full_name,
    r.requester_bin, r.requester_iin, r.requester_postal_address, r.signatory_full_name, r.signatory_capacity,
    r.state, r.examination_round, r.examined_at, r.findings, r.registration_number, r.registered_on, r.due_date,
    r.due_time, r.due_provisional, r.due_assumed, r.due_calendar_version, r.due_term, r.explanation,
    EXISTS (SELECT FROM requests.due_date_change WHERE resource = 'requests/' || r.id) AS "moved!",
    i.kinds AS "kinds!", i.descriptions AS "descriptions!", i.units AS "units!: Vec<Option<String>>",
    i.periods AS "periods!: Vec<Option<String>>", i.until_periods AS "until_periods!: Vec<Option<String>>",
    i.forms AS "forms!: Vec<Option<String>>",
    c.kk AS "clarifications_kk", c.ru AS "clarifications_ru", c.en AS "clarifications_en"
FROM requests.request r
CROSS JOIN LATERAL (
    SELECT array_agg(kind ORDER BY position) AS kinds, array_agg(description ORDER BY position) AS descriptions,
        array_agg(unit ORDER BY position) AS units, array_agg(period ORDER BY position) AS periods,
        array_agg(until_period ORDER BY position) AS until_periods, array_agg(form ORDER BY position) AS forms
    FROM requests.item WHERE request = r.id) AS i
CROSS JOIN LATERAL (
    SELECT array_agg(text_kk ORDER BY position) AS kk, array_agg(text_ru ORDER BY position) AS ru,
        array_agg(text_en ORDER BY position) AS en
    FROM requests.clarification WHERE request = r.id) AS c
WHERE r.id = ANY (:ids);
