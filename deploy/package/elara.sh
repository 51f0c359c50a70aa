#!/bin/sh
# Runs the hub of the tree this file lies in, with the Node that came along; links to this file may lie anywhere.
set -eu
root=$(dirname "$(dirname "$(readlink -f "$0")")")
exec "$root/node/bin/node" "$root/services/launcher/bin/elara.js" "$@"
