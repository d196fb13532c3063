-- One schema per service, an owner that migrates it and a runtime role that works in it. Run by a superuser inside the
-- database `legalstat`; running it again changes nothing. It closes the server's own databases to all who were not granted
-- CONNECT, so the server should serve legalstat alone. Passwords are set by whoever runs it.

DO $$
DECLARE
    schema text;
    role   text;
    database text;
BEGIN
    -- Roles belong to the whole server, and several databases may be prepared at once.
    PERFORM pg_advisory_xact_lock(hashtext('legalstat roles'));
    FOREACH schema IN ARRAY ARRAY['calendar', 'forms', 'requests', 'collections'] LOOP
        FOREACH role IN ARRAY ARRAY[schema || '_owner', schema || '_runtime'] LOOP
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
                EXECUTE format('CREATE ROLE %I LOGIN', role);
                EXECUTE format('ALTER ROLE %I SET search_path = %I', role, schema);
            END IF;
            EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), role);
        END LOOP;
        EXECUTE format('ALTER ROLE %I SET statement_timeout = %L', schema || '_runtime', '10s');
        EXECUTE format('ALTER ROLE %I SET idle_in_transaction_session_timeout = %L', schema || '_runtime', '10s');
        -- A line that was cut without a word keeps no backend and none of its locks for the two hours of the system's default.
        EXECUTE format('ALTER ROLE %I SET tcp_keepalives_idle = 10', schema || '_runtime');
        EXECUTE format('ALTER ROLE %I SET tcp_keepalives_interval = 5', schema || '_runtime');
        EXECUTE format('ALTER ROLE %I SET tcp_keepalives_count = 3', schema || '_runtime');
        EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I AUTHORIZATION %I', schema, schema || '_owner');
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', schema, schema || '_runtime');
    END LOOP;
    -- The form registry finds indicators by words that are like their titles.
    CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA forms;
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    REVOKE ALL ON SCHEMA public FROM PUBLIC;
    -- The services' roles have no business in the databases that a server comes with.
    FOR database IN SELECT datname FROM pg_database WHERE datname IN ('postgres', 'template1')
                    AND has_database_privilege('public', datname, 'CONNECT') LOOP
        EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', database);
    END LOOP;
END
$$;
