-- Numbers that tell in which order rows came are the database's: the runtime role may give every other column and not these.

DO $$
DECLARE
    ordered record;
BEGIN
    FOR ordered IN
        SELECT c.oid::regclass AS name,
               (SELECT string_agg(quote_ident(a.attname), ', ')
                FROM pg_attribute AS a
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                  AND a.attidentity = '' AND a.attgenerated = '') AS given
        FROM pg_class AS c
        WHERE c.relnamespace = 'forms'::regnamespace AND c.relkind = 'r'
          AND has_table_privilege('forms_runtime', c.oid, 'INSERT')
          AND EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attidentity <> '')
    LOOP
        EXECUTE format('REVOKE INSERT ON %s FROM forms_runtime', ordered.name);
        EXECUTE format('GRANT INSERT (%s) ON %s TO forms_runtime', ordered.given, ordered.name);
    END LOOP;
END
$$;
