"""Ports: which are free, which rest, who listens."""

import errno
import fcntl
import os
import socket
import time

from processes import Failed, boot_id
from records import SAFE, load, save


def note_port(run, port, tag):
    since_boot = time.clock_gettime(time.CLOCK_BOOTTIME)
    save(os.path.join(run, "ports"), str(port), {"tag": tag, "boot": boot_id(), "at": since_boot, "time": time.time()})


def rests(record, seconds):
    if not record:
        return False
    if record["boot"] == boot_id():
        return time.clock_gettime(time.CLOCK_BOOTTIME) - record["at"] < seconds
    return abs(time.time() - record["time"]) < seconds


def family_of(host):
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def free(host, port):
    with socket.socket(family_of(host), socket.SOCK_STREAM) as probe:
        try:
            socket.inet_pton(family_of(host), host)
            probe.bind((host, port))
            probe.listen(1)
            return True
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise Failed("HOST_UNUSABLE", "cannot listen on %s: %s" % (host, error.strerror or error))


def forget_rested(ports, rest):
    """Removes what rests no more: the folder holds no more than was used lately."""
    for name in os.listdir(ports):
        if name.isdigit() and not rests(load(ports, name, kind="port"), rest):
            try:
                os.unlink(os.path.join(ports, name))
            except OSError:
                pass


def pick_port(run, tag, host, first, last, rest):
    """A port that is free and was not given out lately: a stale route must not lead to somebody else's server."""
    ports = os.path.join(run, "ports")
    os.makedirs(ports, 0o700, exist_ok=True)
    with open(os.open(os.path.join(ports, "lock"), os.O_RDWR | os.O_CREAT | SAFE, 0o600)) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        forget_rested(ports, rest)
        count = last - first + 1
        begin = int.from_bytes(os.urandom(4), "big") % count
        for step in range(count):
            port = first + (begin + step) % count
            if not rests(load(ports, str(port), kind="port"), rest) and free(host, port):
                note_port(run, port, tag)
                return port
    raise Failed("NO_PORT", "no free port between %d and %d" % (first, last))


def listeners(port):
    """(inode, uid, local address) of each socket that listens on this port."""
    found = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(table) as file:
                rows = [line.split() for line in file]
        except FileNotFoundError:
            continue
        for row in rows[1:]:
            address, _, number = row[1].rpartition(":")
            if row[3] == "0A" and int(number, 16) == port:
                found.append((row[9], int(row[7]), address))
    return found


def hears(host, address):
    """A listener on this address (as /proc/net/tcp writes it) gets what is sent to host."""
    if set(address) == {"0"}:
        return True
    raw = socket.inet_pton(family_of(host), host)
    swapped = b"".join(raw[at : at + 4][::-1] for at in range(0, len(raw), 4)).hex().upper()
    return not any(raw) or address == swapped or address.endswith("FFFF0000" + swapped)


def holds(pid, inodes):
    """How many of these sockets a process has open; None when it may not be looked at."""
    try:
        for name in os.listdir("/proc/%d/fd" % pid):
            try:
                if os.readlink("/proc/%d/fd/%s" % (pid, name)) in inodes:
                    return True
            except FileNotFoundError:
                continue
        return False
    except PermissionError:
        return None
    except (FileNotFoundError, ProcessLookupError):
        return False


def answers(host, port):
    """Somebody listens there."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    with socket.socket(family_of(host), socket.SOCK_STREAM) as probe:
        probe.settimeout(0.2)
        return probe.connect_ex((host, port)) == 0
