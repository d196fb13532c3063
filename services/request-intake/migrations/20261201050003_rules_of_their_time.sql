-- Rules that the release before loaded with the law of another time: the Code began on 1 July 2021, and what stands before it rests on
-- what was in force then. Only what no operator has changed is mended; the start loads what comes after it. A replica of the release
-- before goes on with the rules that are in force on the day of receipt; what it does not find it refuses, for the moments until the
-- new release has loaded them.

UPDATE requests.verb_rule
SET legal_basis_act = 'Law No. 221', legal_basis_provision = '', legal_basis_uri = 'https://adilet.zan.kz/rus/docs/Z070000221_',
    valid_to = '2021-06-30'
WHERE verb = 'CORRECT' AND requester_kind IN ('INDIVIDUAL', 'LEGAL_ENTITY') AND valid_from = '2019-04-15' AND valid_to IS NULL
  AND legal_basis_act = 'Code 350-VI' AND legal_basis_assumed;

UPDATE requests.verb_rule
SET legal_basis_act = 'Instruction', legal_basis_uri = 'https://adilet.zan.kz/rus/docs/V1900018554', valid_to = '2021-06-30',
    legal_basis_provision = CASE
        WHEN ground = 'NOT_COMPETENT' THEN 'para 5'
        WHEN ground = 'WITHOUT_ESSENCE' THEN 'para 8'
        WHEN ground = 'REPEATED' THEN 'para 7'
        ELSE 'para 6' END
WHERE verb IN ('CORRECT', 'FORWARD', 'TERMINATE') AND requester_kind IN ('STATE_BODY', 'PROSECUTOR_BODY')
  AND ground IN ('', 'NOT_COMPETENT', 'CRIME_OR_THREAT', 'ANONYMOUS', 'WITHOUT_ESSENCE', 'REPEATED')
  AND valid_from = '2019-04-15' AND valid_to IS NULL AND legal_basis_act = 'Code 350-VI' AND legal_basis_assumed;

UPDATE requests.verb_rule
SET legal_basis_provision = 'art. 76', valid_to = '2025-12-31'
WHERE verb = 'FORWARD' AND ground = 'NOT_COMPETENT' AND requester_kind IN ('INDIVIDUAL', 'LEGAL_ENTITY')
  AND valid_from = '2021-07-01' AND valid_to IS NULL AND legal_basis_act = 'Code 350-VI' AND legal_basis_provision = ''
  AND grade = 'C';

-- Whose law it is stands in the law of the check: of a body it is another than of an applicant.
UPDATE requests.rule_ground
SET text_kk = replace(replace(text_kk, ' (221-Заңның 5-бабы)', ''), ' (350-VI Кодекстің 88-бабы)', ''),
    text_ru = replace(replace(text_ru, ' (статья 5 Закона № 221)', ''), ' (статья 88 Кодекса № 350-VI)', ''),
    text_en = replace(replace(text_en, ' (Law 221, art. 5)', ''), ' (Code 350-VI, art. 88)', '')
WHERE rule = 'REPEATED';
