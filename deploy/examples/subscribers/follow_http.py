"""Follows a hub's events over HTTP. pip install requests; python follow_http.py"""

import json
import os
import sys
import time

import requests

url = os.environ.get("ELARA_URL", "http://127.0.0.1:8000") + "/hub/api/events"
headers = {"Authorization": f"token {os.environ['ELARA_TOKEN']}", "Accept": "text/event-stream"}
after = os.environ.get("ELARA_AFTER")

while True:
    try:
        # A heartbeat comes each 15 s.
        with requests.get(url, headers=headers, params={"after": after}, stream=True, timeout=40) as answer:
            if answer.status_code in (401, 403):
                raise SystemExit(f"The hub refuses this token: {answer.text}")
            # Anything else than a hub that is busy or away does not get better by asking again.
            if answer.status_code != 200 and answer.status_code != 429 and answer.status_code < 500:
                raise SystemExit(answer.text)
            kind = ""
            for line in answer.iter_lines(chunk_size=1, decode_unicode=True) if answer.ok else []:
                if line == "":
                    kind = ""
                elif line.startswith("event: "):
                    kind = line[7:]
                elif line.startswith("id: "):
                    after = line[4:]
                elif line.startswith("data: ") and kind == "end":
                    # Why the hub ended the stream; the next request tells whether it is worth going on.
                    print(line[6:], file=sys.stderr)
                elif line.startswith("data: "):
                    event = json.loads(line[6:])
                    print(event["type"], event["subject"], event["seq"], flush=True)
    except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError):
        pass
    time.sleep(2)
