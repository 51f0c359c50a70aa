"""Looking at servers without touching them, for whoever cannot read their folders himself."""

import os

from processes import alive, boot_id, living_tags
from records import last_lines, lives, load, load_state


def look(spec):
    """What is written down of each tag, and which of its processes live. What cannot be read is an error, not an absence."""
    boot, servers, living = boot_id(), {}, None
    for tag in spec["tags"]:
        folder = os.path.join(spec["runDir"], tag)
        # State first: what it names alive may end before the next line, and then there is exit.json.
        state = load_state(folder)
        servers[tag] = {
            "claimed": os.path.isdir(folder),
            "state": state,
            "alive": lives(state),
            "attended": bool(state and state["bootId"] == boot and alive(state["launcher"])),
        }
        servers[tag]["exit"] = load(folder, "exit.json")
        if state is None:
            # Somebody removed its record, or it is out of reach: its processes tell whether it lives.
            living = living_tags() if living is None else living
            servers[tag]["stray"] = tag in living
    return {"ok": True, "bootId": boot, "runDir": os.path.isdir(spec["runDir"]), "servers": servers}


def log(spec, folder):
    """The last lines of its output, newest last."""
    return {"ok": True, "lines": last_lines(folder, ("log.1", "log"), spec["lines"])}
