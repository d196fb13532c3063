-- Sets the roles' passwords from the environment (deploy/secrets/make writes them). One that is missing stops it.

SET log_statement = 'none';
SET log_min_duration_statement = -1;
SET log_min_error_statement = 'panic';

\getenv calendar_owner calendar_owner_password
\getenv calendar_runtime calendar_runtime_password
\getenv forms_owner forms_owner_password
\getenv forms_runtime forms_runtime_password
\getenv requests_owner requests_owner_password
\getenv requests_runtime requests_runtime_password
\getenv collections_owner collections_owner_password
\getenv collections_runtime collections_runtime_password

BEGIN;
ALTER ROLE calendar_owner PASSWORD :'calendar_owner';
ALTER ROLE calendar_runtime PASSWORD :'calendar_runtime';
ALTER ROLE forms_owner PASSWORD :'forms_owner';
ALTER ROLE forms_runtime PASSWORD :'forms_runtime';
ALTER ROLE requests_owner PASSWORD :'requests_owner';
ALTER ROLE requests_runtime PASSWORD :'requests_runtime';
ALTER ROLE collections_owner PASSWORD :'collections_owner';
ALTER ROLE collections_runtime PASSWORD :'collections_runtime';
COMMIT;
