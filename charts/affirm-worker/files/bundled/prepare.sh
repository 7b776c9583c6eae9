# Makes the data of the bundled Postgres, once and whole, and gives its logins the passwords of their URLs.
# It needs initdb and postgres on the PATH, and PGDATA; it may be killed anywhere and run again.
set -eu

# The password of the URL $1 of the login $2, which goes into SQL.
password() {
  case "$1" in
    postgres*://"$2":*@*) found=${1#*://*:} found=${found%%@*} ;;
    *) found= ;;
  esac
  case "$found" in
    '' | *[!A-Za-z0-9]*)
      echo "the Secret must have a URL of the login $2 with a password of letters and digits" >&2
      exit 1
      ;;
  esac
  echo "$found"
}

# Executes stdin, a statement a line, in the data folder $1 that no server uses.
statements() {
  postgres --single -D "$1" -c exit_on_error=on -c log_checkpoints=off postgres > /dev/null
}

owner=$(password "$OWNER_DATABASE_URL" names_owner)
controller=$(password "$DATABASE_URL" names_controller)
runner=$(password "$RUNNER_DATABASE_URL" names_runner)
api=$(password "$API_DATABASE_URL" names_api)

rm -rf "$PGDATA.new"
if [ ! -e "$PGDATA" ]; then
  initdb --pgdata="$PGDATA.new" --username=postgres --encoding=UTF8 --locale=C --auth=reject > /dev/null
  statements "$PGDATA.new" < "$CREATE"
  mv "$PGDATA.new" "$PGDATA"
fi
# The kubelet may have let the group of the volume write, which Postgres refuses.
chmod 0700 "$PGDATA"
statements "$PGDATA" << SQL
alter role names_owner password '$owner'
alter role names_controller password '$controller'
alter role names_runner password '$runner'
alter role names_api password '$api'
SQL
