"""Looking at servers without touching them, for whoever cannot read their folders himself."""

import os
from collections import deque

from processes import alive, boot_id, living_tags, load


def look(spec):
    """What is written down of each tag, and which of its processes live. What cannot be read is an error, not an absence."""
    boot, servers, living = boot_id(), {}, None
    for tag in spec["tags"]:
        folder = os.path.join(spec["runDir"], tag)
        # State first: what it names alive may end before the next line, and then there is exit.json.
        state = load(folder, "state.json")
        ours = bool(state) and state["bootId"] == boot
        servers[tag] = {
            "claimed": os.path.isdir(folder),
            "state": state,
            "alive": bool(ours and state["child"] and alive(state["child"])),
            "attended": bool(ours and alive(state["launcher"])),
        }
        servers[tag]["exit"] = ended = load(folder, "exit.json")
        if state is None and ended is None:
            # Somebody removed its records, or they are out of reach: its processes tell whether it lives.
            living = living_tags() if living is None else living
            servers[tag]["stray"] = tag in living
    return {"ok": True, "bootId": boot, "runDir": os.path.isdir(spec["runDir"]), "servers": servers}


def log(spec, folder):
    """The last lines of its output, newest last."""
    lines = deque(maxlen=spec["lines"])
    for name in ("log.1", "log"):
        try:
            with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
                lines.extend(line.rstrip("\n") for line in file)
        except (FileNotFoundError, NotADirectoryError):
            continue
    return {"ok": True, "lines": list(lines)}
