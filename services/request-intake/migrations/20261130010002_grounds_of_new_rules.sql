-- A replica of the release before cannot read the ground of a rule that it does not know, and would examine nothing until it is
-- replaced. Under the old name it finds those that it knows; a later release drops the view. What operators change under the old
-- name is changed. It cannot show requests accepted from now on, for their findings name the new rules.

ALTER TABLE requests.ground RENAME TO rule_ground;

CREATE VIEW requests.ground AS
    SELECT * FROM requests.rule_ground
    WHERE rule IN ('WRITTEN', 'CHANNEL', 'SIGNATORY', 'NO_DOCUMENT_COPIES', 'NO_PRIMARY_ACCOUNTING', 'UNIT', 'PERIOD',
        'WITHIN_INDICATORS', 'NOT_OPENLY_AVAILABLE', 'DUE_DATE');

GRANT SELECT, INSERT ON requests.ground TO requests_runtime;
