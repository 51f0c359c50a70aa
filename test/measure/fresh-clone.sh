#!/usr/bin/env bash
# Both README lines as a newcomer meets them: a plain user, an empty home, empty npm and pip caches. Prints seconds.
# Needs root (it makes the user and removes it again). Usage: test/measure/fresh-clone.sh [--no-tests]
set -euo pipefail
[ "$(id -u)" = 0 ] || { echo "run as root: it makes a user of its own" >&2; exit 2; }
source=$(git -C "$(dirname "$0")" rev-parse --show-toplevel)
user=elara-newcomer-$$
useradd --create-home --shell /bin/bash "$user"
home=$(getent passwd "$user" | cut -d: -f6)
finish() { pkill -KILL -u "$user" || true; userdel --remove "$user" >/dev/null 2>&1 || true; }
trap finish EXIT
bundle=$home/elara.bundle
git -C "$source" bundle create -q "$bundle" HEAD main && chmod 644 "$bundle"
# What lets this machine's clients reach their registries is handed on, nothing else.
pass=$(env | grep -E '^(npm_config_(cafile|registry)|PIP_(CERT|INDEX_URL)|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|REQUESTS_CA_BUNDLE)=' | tr '\n' ' ' || true)
# shellcheck disable=SC2086
as_user() { runuser -u "$user" -- env -i HOME="$home" USER="$user" PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 $pass bash -ec "cd $home; $1"; }

as_user "git clone -q $bundle elara"
began=$(date +%s.%N)
as_user "cd elara && npm install --no-progress >$home/install.log 2>&1"
installed=$(date +%s.%N)
as_user "cd elara && ELARA_TRIAL_PASSWORD=newcomer-password npm start -- --port 18999 --internal-port 18998 >$home/start.log 2>&1 & echo \$! >$home/pid; for i in \$(seq 3000); do curl -fs http://127.0.0.1:18999/hub/health >/dev/null && break; sleep 0.1; done; curl -fs http://127.0.0.1:18999/hub/health"
ready=$(date +%s.%N)
cat "$home/start.log"
pkill -TERM -u "$user" -f 'elara.js run all' || true
echo "npm install: $(bc <<<"scale=1; ($installed-$began)/1") s; npm start to the first 200 (Python environment made on the way): $(bc <<<"scale=1; ($ready-$installed)/1") s"
[ "${1:-}" = "--no-tests" ] && exit 0
tests=$(date +%s.%N)
as_user "cd elara && npm test" | tee "$home/test.log" | tail -40
echo "npm test: $(bc <<<"scale=1; ($(date +%s.%N)-$tests)/1") s"
