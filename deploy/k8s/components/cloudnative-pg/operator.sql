-- After roles.sql, which closes this database to everyone: roles that CloudNativePG makes later come in through it, one of them to bring
-- a primary that failed back as a standby (pg_rewind).
GRANT CONNECT ON DATABASE postgres TO PUBLIC;
