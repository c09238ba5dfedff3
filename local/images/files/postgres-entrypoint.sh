#!/bin/bash
# Keeps the promises of the official postgres image: its environment, its init directory, its arguments.
set -Eeuo pipefail

fail() { echo "postgres: $*" >&2; exit 1; }

# NAME, or the contents of the file that NAME_FILE names; never both.
setting() {
  local name=$1 default=${2-} file=${1}_FILE
  if [ -n "${!name-}" ] && [ -n "${!file-}" ]; then fail "$name and $file are both set: give one"; fi
  if [ -n "${!file-}" ]; then printf '%s' "$(<"${!file}")"; else printf '%s' "${!name-$default}"; fi
}

# USER METHOD [option …]
create() {
  local user=$1 method=$2
  shift 2
  # Unquoted on purpose: POSTGRES_INITDB_ARGS holds several words.
  # shellcheck disable=SC2046
  initdb --pgdata="$PGDATA" --username="$user" --encoding=UTF8 --auth="$method" "$@" $(setting POSTGRES_INITDB_ARGS)
}

init() {
  local user password database method
  user=$(setting POSTGRES_USER postgres)
  password=$(setting POSTGRES_PASSWORD)
  database=$(setting POSTGRES_DB "$user")
  method=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
  if [ -z "$password" ] && [ "$method" != trust ]; then
    fail "the database is empty and no superuser password is given: set POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE"
  fi

  if [ -n "$password" ]; then
    create "$user" "$method" --pwfile=<(printf '%s\n' "$password")
  else
    create "$user" "$method"
  fi
  printf '\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"

  # Nobody but the scripts may connect until they are done: a socket only, no address.
  export PGUSER=$user PGPASSWORD=$password PGHOST=/var/run/postgresql
  pg_ctl --pgdata="$PGDATA" --wait --options="-c listen_addresses=''" start
  if [ "$database" != postgres ]; then
    psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --set=database="$database" --dbname=postgres <<<'CREATE DATABASE :"database";'
  fi
  export PGDATABASE=$database
  export POSTGRES_USER=$user POSTGRES_DB=$database POSTGRES_PASSWORD=$password
  local script
  for script in /docker-entrypoint-initdb.d/*; do
    case $script in
      *.sh) echo "postgres: running $script"; if [ -x "$script" ]; then "$script"; else . "$script"; fi ;;
      *.sql) echo "postgres: running $script"; psql --no-psqlrc --set=ON_ERROR_STOP=1 --file="$script" ;;
      *.sql.gz) echo "postgres: running $script"; gunzip --stdout "$script" | psql --no-psqlrc --set=ON_ERROR_STOP=1 ;;
      *) [ ! -e "$script" ] || echo "postgres: ignoring $script" ;;
    esac
  done
  pg_ctl --pgdata="$PGDATA" --mode=fast --wait stop
  unset PGUSER PGPASSWORD PGHOST PGDATABASE
}

case ${1-} in -* | "") set -- postgres "$@" ;; esac
if [ "$1" = postgres ]; then
  [ "$(id -u)" != 0 ] || fail "the server does not run as root: set runAsUser 999"
  mkdir -p "$PGDATA"
  chmod 0700 "$PGDATA" 2>/dev/null || true # a mount point that belongs to root; initdb judges it
  [ -s "$PGDATA/PG_VERSION" ] || init
fi
exec "$@"
