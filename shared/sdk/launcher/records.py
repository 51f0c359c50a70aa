"""Records in files. Who owns the folder can put anything there: a record is a regular file, no link, of 64 KiB at most,
with one JSON object that has the fields of its kind. Anything else counts as no record."""

import errno
import fcntl
import json
import os
from stat import S_ISREG

from processes import alive, boot_id

RECORD_BYTES = 65536
TEXT_LENGTH = 4096
LINE_LENGTH = 4096
LOG_BYTES = 262144  # of each log that are looked at for its last lines
ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO)
SAFE = os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC  # a FIFO does not block, a link leads nowhere


def text(value):
    return type(value) is str and len(value) <= TEXT_LENGTH


def count(value):
    return type(value) is int and 0 <= value < 1 << 53


def number(value):
    return type(value) in (int, float) and abs(value) < 1 << 53


def port_number(value):
    return type(value) is int and 0 < value < 65536


def who(value):
    return type(value) is dict and count(value.get("pid")) and 0 < value["pid"] < 1 << 31 and count(value.get("start"))


def one(*known):
    return lambda value: type(value) in (str, int) and value in known


def maybe(fits):
    return lambda value: value is None or fits(value)


PLACE = {"uid": count, "host": text, "port": port_number, "url": text}
STATE = {
    "v": one(1),
    "tag": text,
    "phase": one("claimed", "forked", "starting", "running", "stopping"),
    "bootId": text,
    "startedAt": text,
    "launcher": who,
    "child": maybe(who),
}
CAUSE = one("exited", "signalled", "stopped", "failed", "gone")
EXIT = {"v": one(1), "tag": text, "cause": CAUSE, "exitCode": maybe(count), "signal": maybe(text), "at": text}
EXIT.update(code=maybe(text), message=text)
CALL = {"exitCode": count, "stdout": lambda value: type(value) is str, "stderr": lambda value: type(value) is str}
# By name: fields that must be there, and those that may.
KINDS = {
    "state.json": (STATE, dict(PLACE, attempt=count, jobId=text, node=text)),
    "exit.json": (EXIT, {}),
    "stop": ({"graceSeconds": number, "at": text}, {}),
    "claim": ({"jobId": text}, {"node": text, "pid": count, "at": text}),
    "submitted.json": (CALL, {}),
    "port": ({"tag": text, "boot": text, "at": number, "time": number}, {}),
}


def regular(path, most, end=False):
    """Bytes of a file; None when nothing is there, or what can be no record. `end`: of a longer file the last."""
    try:
        file = os.open(path, os.O_RDONLY | SAFE)
    except OSError as error:
        if error.errno in ABSENT:
            return None
        raise
    try:
        found = os.fstat(file)
        if not S_ISREG(found.st_mode) or (found.st_size > most and not end):
            return None
        with open(file, "rb", closefd=False) as data:
            data.seek(max(0, found.st_size - most))
            return data.read(most)
    finally:
        os.close(file)


def refuse(word):
    raise ValueError(word)


def load(folder, name, most=RECORD_BYTES, kind=None):
    """The known fields of a record, None when there is none."""
    data = regular(os.path.join(folder, name), most)
    try:
        record = None if data is None else json.loads(data, parse_constant=refuse)
    except (ValueError, RecursionError):
        return None
    if type(record) is not dict:
        return None
    must, may = KINDS.get(kind or name, ({}, None))
    if may is None:
        return record
    known = {field: record[field] for field in (*must, *may) if field in record}
    fits = all(field in known for field in must) and all((must.get(field) or may[field])(known[field]) for field in known)
    return known if fits else None


def load_state(folder):
    """`state.json`; a child without its place is none."""
    state = load(folder, "state.json")
    return None if state and state["child"] and not set(PLACE) <= set(state) else state


def lives(state):
    """The server's process lives, on this boot of the machine."""
    return bool(state and state["child"] and state["bootId"] == boot_id() and alive(state["child"]))


def look_up(folder):
    """State and end of a server. An end beside a process that lives is none, whoever wrote it."""
    # State first: what it names alive may end before the next line, and then there is exit.json.
    state = load_state(folder)
    ended = load(folder, "exit.json")
    return state, None if ended and lives(state) else ended


def create(path):
    """A new file for writing; what stood there goes."""
    for _ in range(2):
        try:
            return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | SAFE, 0o600)
        except FileExistsError:
            os.unlink(path)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | SAFE, 0o600)


def save(folder, name, data):
    """All or nothing: a reader sees the old record or the new one."""
    path = os.path.join(folder, name)
    draft = "%s.%d" % (path, os.getpid())
    with open(create(draft), "w") as file:
        json.dump(data, file)
    os.rename(draft, path)


def lock_of(folder):
    """The lock as a descriptor, or None while somebody else holds it or the folder is gone."""
    path = os.path.join(folder, "lock")
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | SAFE, 0o600)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.lstat(path).st_ino == os.fstat(lock).st_ino:
            return lock
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(lock)
    return None


def last_lines(folder, names, lines):
    """The last lines of these files one after another, newest last."""
    found = []
    for name in names:
        data = regular(os.path.join(folder, name), LOG_BYTES, end=True) or b""
        found += [line[:LINE_LENGTH] for line in data.decode("utf-8", "replace").split("\n")]
        if found[-1] == "":
            found.pop()
    return found[-lines:] if lines > 0 else []
