#!/bin/sh
# Starts the bundled broker: makes the hashed password file of SUNHERD_BROKER_PASSWORD_<IDENTITY>, installs the access
# list, and becomes mosquitto. Needs /tmp in memory, and nothing else that can be written but /mosquitto/data.
set -eu
umask 077

config=/mosquitto/config
data=/mosquitto/data
work=/tmp/mosquitto
included=$work/included

say() { printf '%s: start: %s\n' "$(date +%Y-%m-%dT%H:%M:%S)" "$*"; }
fail() {
  say "$*" >&2
  exit 2
}

rm -rf "$work"
mkdir -p "$included"
: >"$work/passwords"

# An identity is a "user ..." line of the access list; its variable is the same name in capitals.
nobody=true
while read -r word identity rest; do
  [ "$word" = user ] && [ -z "$rest" ] || continue
  variable=SUNHERD_BROKER_PASSWORD_$(printf %s "$identity" | tr 'a-z-' 'A-Z_')
  eval "password=\${$variable:-}"
  unset "$variable"
  if [ -z "$password" ]; then
    say "$variable is empty: $identity cannot log in. Fix: make env, then start the broker again."
  else
    nobody=false
    printf '%s:%s\n' "$identity" "$password" >>"$work/passwords"
  fi
done <"$config/access.list"
unset password
cat "$config/access.list" >"$work/access.list"

# Hashes the file in place: no password stands on a command line, and mosquitto itself never sees one.
[ "$nobody" = true ] || mosquitto_passwd -U "$work/passwords"

# The owner's further users, hashed already, and what they may do.
if [ -f "$config/own/passwords" ]; then
  nobody=false
  [ -r "$config/own/passwords" ] || fail "mosquitto/own/passwords cannot be read. Fix: chmod 644, it holds hashes only."
  cat "$config/own/passwords" >>"$work/passwords"
fi
if [ -f "$config/own/access.list" ]; then
  [ -r "$config/own/access.list" ] || fail "mosquitto/own/access.list cannot be read. Fix: chmod 644."
  {
    echo
    cat "$config/own/access.list"
  } >>"$work/access.list"
fi
[ "$nobody" = false ] || fail "there is no password, so nobody could log in. Fix: make env, then start the broker again."

version=$(mosquitto -h | sed -n 's/^mosquitto version \([0-9]*\).*/\1/p')
if [ "${SUNHERD_BROKER_PLUGINS:-no}" = yes ] || [ "${version:-2}" -ge 3 ]; then
  cat "$config/access_by_plugins.conf" >"$included/access.conf"
else
  cat "$config/access_by_options.conf" >"$included/access.conf"
fi

certificates=$config/certificates
if [ ! -f "$certificates/server.crt" ]; then
  say "no TLS: there are no certificates. make certificates ARGS='--host NAME' makes them."
elif [ ! -r "$certificates/server.key" ]; then
  say "no TLS: $certificates/server.key cannot be read by user $(id -u). Fix: SUNHERD_GID in .env (docs/broker.md)."
else
  cat "$config/tls.conf" >"$included/tls.conf"
  say "TLS on port 8883"
fi

for file in "$config"/own/*.conf; do
  [ ! -f "$file" ] || cat "$file" >"$included/own-$(basename "$file")"
done

# mosquitto refuses to start with a memory that is not whole, such as a full disk leaves behind, and so would the farm be
# left alone for as long as nobody looks. A trial, which writes nothing and is killed, shows whether it can be read.
can_be_read() {
  {
    printf '%s\n' "listener 0 $work/trial.socket" "allow_anonymous false" "log_dest stderr" "log_type error" \
      "persistence true" "persistence_location $data/" "autosave_interval 0"
    grep '^user ' "$config/mosquitto.conf" || true
  } >"$work/trial.conf"
  mosquitto -c "$work/trial.conf" >"$work/trial.log" 2>&1 &
  trial=$!
  looks=100
  while [ ! -S "$work/trial.socket" ] && kill -0 "$trial" 2>/dev/null && [ "$looks" -gt 0 ]; do
    looks=$((looks - 1))
    sleep 0.1 2>/dev/null || sleep 1
  done
  kill -9 "$trial" 2>/dev/null || true
  wait "$trial" 2>/dev/null || true
  rm -f "$work/trial.socket"
  ! grep -q "Couldn't open database" "$work/trial.log"
}

if [ -f "$data/mosquitto.db" ] && ! can_be_read; then
  mv -f "$data/mosquitto.db" "$data/mosquitto.db.damaged"
  say "what was retained is damaged (was the disk full?): put aside as $data/mosquitto.db.damaged."
  say "The services say everything again; what people ordered while no engine ran is lost. Look at pauses and stops."
fi

exec mosquitto -c "$config/mosquitto.conf"
