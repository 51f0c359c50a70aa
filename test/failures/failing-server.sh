#!/bin/sh
# Stands in for the single-user command: the user's name decides how it goes wrong. Everybody else gets the real one.
case "$JUPYTERHUB_USER" in
  exits-*)
    for line in $(seq 1 60); do echo "line $line of a server that ends" >&2; done
    exit 3 ;;
  silent-*) exec sleep 600 ;;
  hangs-*)
    exec python3 -c 'import os, socket, time, urllib.parse
url = urllib.parse.urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])
server = socket.create_server((url.hostname, url.port))
time.sleep(600)' ;;
  *) exec jupyterhub-singleuser "$@" ;;
esac
