-- Figures belong to a revision of an edition: what is sealed keeps the figures that it was sealed with.

ALTER TABLE forms.figure_set ADD CONSTRAINT figure_set_of_revision FOREIGN KEY (form, period, revision) REFERENCES forms.revision;

CREATE FUNCTION forms.refuse_to_change_sealed_figures() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed record := CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
BEGIN
    IF EXISTS (SELECT FROM forms.revision r
               WHERE (r.form, r.period, r.number) = (changed.form, changed.period, changed.revision) AND r.sealed_at IS NOT NULL) THEN
        RAISE EXCEPTION 'the figures of what is sealed change only by a correction'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'figure_set_sealed_stays';
    END IF;
    RETURN changed;
END
$$;
CREATE TRIGGER figure_set_sealed_stays BEFORE INSERT OR UPDATE OR DELETE ON forms.figure_set
    FOR EACH ROW EXECUTE FUNCTION forms.refuse_to_change_sealed_figures();
