"""A REST client as sites write them, with `requests`: prints one JSON line of what it saw.

Usage: rest_client.py API_URL TOKEN USER
"""

import json
import sys
import time

import requests

api, token, user = sys.argv[1:4]
session = requests.Session()
session.headers["Authorization"] = f"token {token}"
seen = {"version": session.get(f"{api}/").json()["version"]}

session.post(f"{api}/users", json={"usernames": [user]})
seen["users"] = [entry["name"] for entry in session.get(f"{api}/users").json()]

started = session.post(f"{api}/users/{user}/server")
seen["start"] = started.status_code
for _ in range(600):
    model = session.get(f"{api}/users/{user}").json()
    if model["servers"].get("", {}).get("ready"):
        break
    time.sleep(0.1)
seen["url"] = model["servers"][""]["url"]
seen["routes"] = [spec for spec in session.get(f"{api}/proxy").json() if user in spec]

stopped = session.delete(f"{api}/users/{user}/server")
seen["stop"] = stopped.status_code
for _ in range(600):
    model = session.get(f"{api}/users/{user}").json()
    if not model["servers"]:
        break
    time.sleep(0.1)
seen["servers_after"] = list(model["servers"])

missing = session.get(f"{api}/users/nobody-of-this-name")
seen["missing"] = [missing.status_code, sorted(missing.json()), missing.json()["message"]]
print(json.dumps(seen))
