-- An event can tell what became of its resource: who hears of it later must not be told what it became later still. Null where
-- there is nothing to tell besides the kind, and in events of before.

ALTER TABLE outbox_event ADD COLUMN told text;

DO $$
BEGIN
    EXECUTE format('GRANT INSERT (told) ON outbox_event TO %I', current_schema() || '_runtime');
END
$$;
