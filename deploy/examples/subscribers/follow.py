"""Follows a hub's events over NATS. pip install nats-py; python follow.py"""

import asyncio
import hashlib
import json
import os
import sys

import nats

# Refused so often in a row, it is the token: a hub that is away, as while it is restarted, refuses too.
PATIENCE = 30
refusals = 0


async def tell(error):
    global refusals
    print(f"{error}, trying again", file=sys.stderr)
    refusals = refusals + 1 if "authorization" in str(error).lower() else 0
    if refusals >= PATIENCE:
        why = "it is unknown, revoked, expired, may read no events, or has too many connections"
        print(f"The hub refuses this token: {why}.", file=sys.stderr)
        # The library calls this in a task of its own, which an exception would only end with a traceback.
        os._exit(1)


async def let_in():
    global refusals
    refusals = 0


async def asked(connection, wish):
    while True:
        try:
            answer = await connection.request("elara.events.position", json.dumps(wish).encode(), timeout=5)
            return json.loads(answer.data)
        except (nats.errors.NoRespondersError, asyncio.TimeoutError):
            # The hub is away, as while it is restarted.
            await asyncio.sleep(2)


async def main():
    token = os.environ["ELARA_TOKEN"]
    inbox = "_INBOX_" + hashlib.sha256(token.encode()).hexdigest()[:16]
    connection = await nats.connect(
        os.environ.get("ELARA_NATS", "127.0.0.1:4222"),
        token=token,
        inbox_prefix=inbox.encode(),
        max_reconnect_attempts=-1,
        error_cb=tell,
        reconnected_cb=let_in,
    )
    await let_in()
    # Without "from" it goes on where it stood.
    wish = {"from": os.environ["ELARA_FROM"]} if "ELARA_FROM" in os.environ else {}
    position = await asked(connection, wish)
    if "error" in position:
        raise SystemExit(position["error"]["message"])

    events = await connection.jetstream().pull_subscribe_bind(
        position["name"], position["stream_name"], inbox_prefix=f"{inbox}.".encode()
    )
    seen = {}
    while True:
        try:
            messages = await events.fetch(100, timeout=5)
        except asyncio.TimeoutError:
            continue
        for message in messages:
            event = json.loads(message.data)
            # At least once: the same event may come again, also behind later ones.
            if event["id"] not in seen:
                print(event["type"], event["subject"], event["seq"], flush=True)
            seen[event["id"]] = True
            if len(seen) > 10_000:
                del seen[next(iter(seen))]
            await message.ack()


asyncio.run(main())
