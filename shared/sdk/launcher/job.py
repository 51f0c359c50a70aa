"""In a batch job: the launcher in the foreground, so that the job lives as long as its server."""

import json
import os
import signal
import socket
import time

from processes import Failed, collect_orphans, timestamp
from records import load, save
from server import SIGNALS, Server


def follow_parent():
    """In a new process: ends with the one that started it."""
    try:
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG
    except (ImportError, OSError, AttributeError):
        pass


def publish(draft, path):
    """The draft under its name, unless something has it: one wins, also on a shared file system."""
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    except OSError:  # a file system without links: there the claim is empty for a moment
        try:
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file, open(draft) as text:
                file.write(text.read())
                file.flush()
                os.fsync(file.fileno())
        except FileExistsError:
            pass


def claim(folder, job):
    """The job that is this server; ours when `mine`."""
    mine = {"jobId": job, "node": socket.gethostname(), "pid": os.getpid(), "at": timestamp()}
    draft = "claim.%s.%d" % (mine["node"], mine["pid"])
    save(folder, draft, mine)
    draft = os.path.join(folder, draft)
    publish(draft, os.path.join(folder, "claim"))
    os.unlink(draft)
    until = time.monotonic() + 10
    while True:
        known = load(folder, "claim")
        if known:
            return known, mine
        if time.monotonic() > until:
            raise Failed("CLAIM_UNREADABLE", "%s/claim is none; nobody knows which job is this server" % folder)
        time.sleep(0.1)


ORDER_BYTES = 1 << 23  # more than a process can be given


class JobServer(Server):
    """Ends with its launcher: the job is over then, whatever the batch system knows of its processes."""

    def become(self, *given):
        follow_parent()
        super().become(*given)


def ports_folder(folder, at="/tmp"):
    """
    Where this node remembers which ports of the account rest; the server's own folder where that cannot be. It stays when
    the job ends, because the port rests then; the next start removes what rests no more.
    """
    path = os.path.join(at, ".elara-%d" % os.getuid())
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        found = os.lstat(path)
        if found.st_uid != os.getuid() or found.st_mode & 0o170077 != 0o040000:
            return folder
    except OSError:
        return folder
    return path


def run_job(spec):
    """The whole life of the server of this folder. Gives the exit code of the job."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    folder, job = os.getcwd(), os.environ.get(spec["jobIdVariable"], "")
    os.umask(0o077)
    if not job:
        raise Failed("JOB_ID_MISSING", "%s is not set in the job" % spec["jobIdVariable"])
    known, mine = claim(folder, job)
    if known != mine and known["jobId"] != job:
        print("job %s is this server; nothing to do" % known["jobId"])
        return 0
    order = load(folder, "order.json", ORDER_BYTES)
    if order is not None:
        os.unlink(os.path.join(folder, "order.json"))  # it holds the server's token
    server = JobServer(dict(order or spec, runDir=ports_folder(folder)), folder)
    server.state.update(jobId=job, node=socket.gethostname())
    if known != mine:
        # The batch system lost it and runs it again. Its secrets are gone, and what it was may still live elsewhere.
        if load(folder, "exit.json") is None:
            server.end("failed", "RUN_AGAIN", "the job was run before")
        return 1
    if order is None:
        server.end("failed", "ORDER_MISSING", "the order of this server is gone; it was cancelled")
        return 1
    server.spec["env"] = dict(os.environ, **order["env"])
    server.spec.setdefault("cwd", os.path.expanduser("~"))  # not the folder of the records, where the job was submitted
    collect_orphans()
    try:
        server.run(lambda answer: None)
    except BaseException as error:
        server.end("failed", "LAUNCHER_FAILED", repr(error))
        raise
    ended = server.ended
    print("ended: %s" % json.dumps(ended), flush=True)
    if ended["cause"] == "stopped":
        return 0
    return ended["exitCode"] if ended["exitCode"] is not None else 1
