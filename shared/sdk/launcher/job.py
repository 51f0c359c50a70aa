"""In a batch job: the launcher in the foreground, so that the job lives as long as its server."""

import json
import os
import signal
import socket
import sys

from processes import Failed, collect_orphans, load, save
from server import SIGNALS, Server


def claim(folder, job):
    """True for the one job that is this server. Complete from the moment it is there, also on a shared file system."""
    draft = "claim.%s" % job.replace("/", "_")
    save(folder, draft, {"jobId": job})
    draft = os.path.join(folder, draft)
    try:
        os.link(draft, os.path.join(folder, "claim"))
    except FileExistsError:
        pass
    os.unlink(draft)
    return load(folder, "claim") == {"jobId": job}


def ports_folder(folder):
    """Where this node remembers which ports rest; the server's own folder where that cannot be."""
    path = "/tmp/.elara-%d" % os.getuid()
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
    if not claim(folder, job):
        print("another job is this server; nothing to do")
        return 0
    order = load(folder, "order.json")
    if order is not None:
        os.unlink(os.path.join(folder, "order.json"))  # it holds the server's token
    server = Server(dict(order or spec, runDir=ports_folder(folder)), folder)
    server.state.update(jobId=job, node=socket.gethostname())
    if order is None:
        server.note()
        server.end("failed", "ORDER_MISSING", "the order of this server is gone; it was cancelled")
        return 1
    server.spec["env"] = dict(os.environ, **order["env"])
    collect_orphans()
    try:
        server.run(lambda answer: None)
    except BaseException as error:
        server.end("failed", "LAUNCHER_FAILED", repr(error))
        raise
    ended = load(folder, "exit.json")
    print("ended: %s" % json.dumps(ended), flush=True)
    if ended["cause"] == "stopped":
        return 0
    return ended["exitCode"] if ended["exitCode"] is not None else 1
