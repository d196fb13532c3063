#!/bin/sh
# Makes the roles and schemas that are missing and sets the roles' passwords, as the superuser whose password is the secret `postgres`.
# The passwords of roles are taken from their URLs, which deploy/secrets/make writes. None of them is shown in the environment of a
# container or among the arguments of a program.
set -eu
cd "$(dirname "$0")"
SECRETS=${SECRETS:-/run/secrets}
PGOPTIONS='-c client_min_messages=warning'
export SECRETS PGOPTIONS
for role in calendar_owner calendar_runtime forms_owner forms_runtime \
    requests_owner requests_runtime collections_owner collections_runtime; do
    grep -q "^postgres://$role:[^:@/]*@" "$SECRETS/$role" || {
        echo "the secret $role is no URL with that role and a password" >&2
        exit 1
    }
done
PGPASSWORD=$(cat "$SECRETS/postgres") exec psql \
    --username=postgres --dbname=legalstat --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --file=roles.sql --file=passwords.sql
