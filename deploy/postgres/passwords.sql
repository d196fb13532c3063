-- Sets the roles' passwords, which it takes from the URLs of deploy/secrets/make in the folder SECRETS. roles.sh runs it.

SET log_statement = 'none';
SET log_min_duration_statement = -1;
SET log_min_error_statement = 'panic';

\set calendar_owner `cut -d: -f3 "$SECRETS/calendar_owner" | cut -d@ -f1`
\set calendar_runtime `cut -d: -f3 "$SECRETS/calendar_runtime" | cut -d@ -f1`
\set forms_owner `cut -d: -f3 "$SECRETS/forms_owner" | cut -d@ -f1`
\set forms_runtime `cut -d: -f3 "$SECRETS/forms_runtime" | cut -d@ -f1`
\set requests_owner `cut -d: -f3 "$SECRETS/requests_owner" | cut -d@ -f1`
\set requests_runtime `cut -d: -f3 "$SECRETS/requests_runtime" | cut -d@ -f1`
\set collections_owner `cut -d: -f3 "$SECRETS/collections_owner" | cut -d@ -f1`
\set collections_runtime `cut -d: -f3 "$SECRETS/collections_runtime" | cut -d@ -f1`

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
