"""Processes that are told apart for certain."""

import os
import signal
import time

MARK = "ELARA_TAG"


class Failed(Exception):
    """A failure with a name the caller knows."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def timestamp():
    at = time.time()
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + ".%03dZ" % (at % 1 * 1000)


def boot_id():
    with open("/proc/sys/kernel/random/boot_id") as file:
        return file.read().strip()


def stat_of(pid):
    """(state, parent, session, start time) of a process, None when there is none."""
    try:
        with open("/proc/%d/stat" % pid, "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return fields[0], int(fields[1]), int(fields[3]), int(fields[19])


def identity(pid):
    stat = stat_of(pid)
    return {"pid": pid, "start": stat[3] if stat else 0}


def alive(who):
    """The very process of this identity lives; a zombie does not."""
    stat = stat_of(who["pid"]) if who else None
    return bool(stat) and stat[3] == who["start"] and stat[0] not in b"ZX"


def send(who, number):
    """Signals the very process of this identity: the pidfd pins it, then its start time is compared."""
    try:
        handle = os.pidfd_open(who["pid"])
    except ProcessLookupError:
        return
    except (OSError, AttributeError):  # a kernel before 5.3
        if alive(who):
            os.kill(who["pid"], number)
        return
    try:
        if alive(who):
            signal.pidfd_send_signal(handle, number)
    except ProcessLookupError:
        pass
    finally:
        os.close(handle)


def everybody():
    table = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            stat = stat_of(int(name))
            if stat and stat[0] not in b"ZX":
                table[int(name)] = stat
    return table


def below(roots, table):
    """Identities of all descendants of these pids."""
    found, grown = set(), set(roots)
    while grown:
        grown = {pid for pid, stat in table.items() if stat[1] in grown} - found - set(roots)
        found |= grown
    return [{"pid": pid, "start": table[pid][3]} for pid in found]


def marked(tag, owner, since, table):
    """Processes that carry the tag in their environment and belong to the server's account: only ever to be ended."""
    want, found = ("%s=%s" % (MARK, tag)).encode(), []
    for pid, stat in table.items():
        try:
            with open("/proc/%d/environ" % pid, "rb") as file:
                hit = stat[3] >= since and os.fstat(file.fileno()).st_uid == owner and want in file.read().split(b"\0")
        except OSError:
            continue
        if hit and pid != os.getpid():
            found.append({"pid": pid, "start": stat[3]})
    return found


def tag_of(pid):
    """The tag a process carries in its environment; None also when it may not be looked at."""
    try:
        with open("/proc/%d/environ" % pid, "rb") as file:
            for entry in file.read().split(b"\0"):
                name, _, value = entry.partition(b"=")
                if name == MARK.encode():
                    return value.decode("ascii", "replace")
    except OSError:
        pass
    return None


def living_tags():
    """Tags of all processes of this account; for root, of everybody's."""
    return {tag_of(pid) for pid in everybody()}


def strays(tag, table):
    """What is left of a server whose records are gone: the processes with its mark, and what they started."""
    roots = {pid for pid in table if pid != os.getpid() and tag_of(pid) == tag}
    return [{"pid": pid, "start": table[pid][3]} for pid in roots] + below(roots, table)


def collect_orphans():
    """Makes this process the one that orphans below it fall to, so that none gets away."""
    try:
        import ctypes

        ctypes.CDLL(None, use_errno=True).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
    except (ImportError, OSError, AttributeError):
        pass  # strays are then found by their mark only
