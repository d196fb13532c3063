-- The approved list of open data (Instruction, para 9) is edited: no form is on it twice on a day, and an entry can end.

ALTER TABLE forms.open_data_list
    ADD end_reason text NOT NULL DEFAULT '',
    ADD CONSTRAINT open_data_list_end CHECK (valid_to IS NOT NULL OR end_reason = ''),
    ADD CONSTRAINT open_data_list_apart
        EXCLUDE USING gist (int4range(form, form + 1) WITH &&, daterange(valid_from, valid_to, '[]') WITH &&);

GRANT UPDATE (valid_to, end_reason) ON forms.open_data_list TO forms_runtime;
