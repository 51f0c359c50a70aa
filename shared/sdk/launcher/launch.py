"""Starts one server process, looks after it until its end, and leaves records that outlive everybody.

Run as `python3 -I -S launch.py`; one JSON request on stdin, one JSON answer on stdout. Python 3.9+, Linux, standard
library only: on another machine, its parts joined to one file, and here it is the same program. Secrets come in on stdin and go
into the environment of the server, nowhere else.

`{runDir}/{tag}/` is the identity of a server. Who holds the flock on its file `lock` looks after it: a lock cannot
go stale, so a claim whose maker died before it started anything is taken over, and one server is never started twice.

    lock        held by the launcher as long as it lives        state.json  who runs, and where
    log, log.1  output, bounded, newest kept                    exit.json   how it ended
    stop        somebody asked for the end, with grace          launcher.log  faults of this program

`runDir` is absolute, or begins with `~/` for the home of the account that runs this.
"""

import json
import os
import pwd
import shutil
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # -I leaves it out

from look import log, look
from ports import note_port
from processes import Failed, alive, boot_id, collect_orphans, everybody, identity, marked, send, strays, timestamp
from records import SAFE, lives, load, load_state, lock_of, look_up, save
from server import SIGNALS, Server, report

START_SECONDS = 10  # as long as another start of the same server is waited for


def daemon(server, lock):
    """Runs the server in a process that is nobody's child; answers with its first report."""
    heard, said = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() != 0:
            os._exit(0)
        try:
            os.close(heard)
            null = os.open("/dev/null", os.O_RDWR)
            try:
                log = os.open(os.path.join(server.folder, "launcher.log"), os.O_WRONLY | os.O_APPEND | os.O_CREAT | SAFE, 0o600)
            except OSError:
                log = null  # a FIFO stands there, or a link: nothing is told to it
            for target, source in ((0, null), (1, null), (2, log)):
                os.dup2(source, target)
            os.chdir("/")
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
            collect_orphans()
            server.state["launcher"] = identity(os.getpid())

            def tell(answer):
                nonlocal said
                if said >= 0:
                    os.write(said, json.dumps(answer).encode() + b"\n")
                    os.close(said)
                    said = -1

            server.run(tell)
        except BaseException:
            import traceback

            traceback.print_exc()
            sys.stderr.flush()
        finally:
            os._exit(0)
    os.close(said)
    os.close(lock)
    os.wait()
    with open(heard, "rb") as file:
        answer = file.readline()
    if not answer:
        raise Failed("LAUNCHER_FAILED", "the launcher ended before it reported; see %s/launcher.log" % server.folder)
    return json.loads(answer)


def start(spec, folder):
    """Starts the server of this tag, or reports the one that is there."""
    os.makedirs(spec["runDir"], 0o700, exist_ok=True)
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            os.mkdir(folder, 0o700)
        except FileExistsError:
            pass
        lock = lock_of(folder)
        state, ended = look_up(folder)
        if lock is not None:
            if ended is None and not (state and state["child"]):
                return dict(daemon(Server(spec, folder), lock), claimed=True)
            os.close(lock)
            return dict(report(folder), claimed=False)
        if ended or (state and state["phase"] in ("starting", "running", "stopping")):
            return dict(report(folder), claimed=False)
        if time.monotonic() > until:
            raise Failed("BUSY", "another start of this server does not come to an end")
        time.sleep(0.02)


def stop(spec, folder):
    """Asks for the end; where the launcher is dead, a new one takes over and sees to it."""
    try:
        save(folder, "stop", {"graceSeconds": spec["graceSeconds"], "at": timestamp()})
    except FileNotFoundError:
        pass
    else:
        answer = attend(spec, folder)
        state = answer["state"]
        # A launcher sees to it, or nothing is left. Else the records lie: its mark tells.
        if state and (answer["exit"] or alive(state["launcher"]) or not lives(state)):
            return answer
    end_strays(spec["tag"], spec["graceSeconds"])
    return {"ok": True, "state": None, "exit": None}


def end_strays(tag, grace):
    """Ends a server whose records are gone, by its mark: INT to those that begin it, at half of the grace TERM, then KILL."""
    table = everybody()
    left = strays(tag, table)
    pids = {who["pid"] for who in left}
    if not left or (grace > 0 and os.fork() != 0):
        return
    if grace > 0:  # as long as that takes nobody waits
        os.setsid()
        null = os.open("/dev/null", os.O_RDWR)
        for target in (0, 1, 2):
            os.dup2(null, target)
    try:
        began = time.monotonic()
        if grace > 0:
            for who in left:
                if table[who["pid"]][1] not in pids:
                    send(who, signal.SIGINT)
                    send(who, signal.SIGCONT)
        rungs = [(grace / 2, signal.SIGTERM), (grace, signal.SIGKILL)]
        while left and time.monotonic() < began + grace + 10:
            if rungs and time.monotonic() >= began + rungs[0][0]:
                for who in left:
                    send(who, rungs[0][1])
                rungs = rungs[1:]
                continue
            if grace <= 0:
                return
            time.sleep(0.1)
            left = strays(tag, everybody())
    finally:
        if grace > 0:
            os._exit(0)


def attend(spec, folder):
    """Sees to it that a launcher looks after the server, and hears of a stop."""
    until = time.monotonic() + 2
    while True:
        lock = lock_of(folder)
        state, ended = look_up(folder)
        if lock is not None:
            if ended or not state or not state["child"] or state["bootId"] != boot_id():
                os.close(lock)
                return report(folder)
            return daemon(Server(spec, folder, state), lock)
        if ended or not state or time.monotonic() > until:
            return report(folder)
        if alive(state["launcher"]):
            if load(folder, "stop"):
                send(state["launcher"], signal.SIGTERM)
                send(state["launcher"], signal.SIGCONT)
            return report(folder)
        time.sleep(0.02)


def cleanup(spec, folder):
    """Ends what is left of a server that has ended, then forgets it."""
    until = time.monotonic() + 2
    while True:
        lock = lock_of(folder)
        if lock is not None:
            break
        if not os.path.isdir(folder):
            return {"ok": True, "state": None, "exit": None}
        if time.monotonic() > until:
            raise Failed("STILL_RUNNING", "the server has not ended")
        time.sleep(0.02)
    state = load_state(folder)
    if lives(state):
        raise Failed("STILL_RUNNING", "the server has not ended")
    if state and state["child"] and state["bootId"] == boot_id():
        for who in marked(spec["tag"], state["uid"], state["child"]["start"], everybody()):
            send(who, signal.SIGKILL)
        note_port(spec["runDir"], state["port"], spec["tag"])
    # Renamed first: a start that comes meanwhile makes a folder of its own.
    trash = os.path.join(spec["runDir"], ".ended-%s-%d" % (spec["tag"], os.getpid()))
    os.rename(folder, trash)
    shutil.rmtree(trash)
    return {"ok": True, "state": None, "exit": None}


def resolve(spec):
    """Checks what is asked, and by whom. A home that is not there is a failure: what lies in it is not gone."""
    for tag in spec["tags"] if spec["action"] == "look" else [spec["tag"]]:
        if not (tag.isascii() and tag.isalnum() and tag == tag.lower() and 8 <= len(tag) <= 64):
            raise Failed("REQUEST_INVALID", "the tag is malformed")
    if not spec.get("account") and os.getuid() < spec.get("minUid", 0):
        raise Failed("ACCOUNT_REFUSED", "this account has uid %d" % os.getuid())
    if spec["runDir"].startswith("~/"):
        home = pwd.getpwuid(os.getuid()).pw_dir
        os.stat(home)
        spec["runDir"] = os.path.join(home, spec["runDir"][2:])
    if not os.path.isabs(spec["runDir"]):
        raise Failed("REQUEST_INVALID", "runDir is not absolute")


ACTIONS = {"start": start, "stop": stop, "attend": attend, "cleanup": cleanup, "log": log}


def main():
    begun = False
    try:
        spec = json.load(sys.stdin)
        os.umask(0o077)
        resolve(spec)
        begun = True
        if spec["action"] == "look":
            answer = look(spec)
        else:
            answer = ACTIONS[spec["action"]](spec, os.path.join(spec["runDir"], spec["tag"]))
    except Failed as failed:
        answer = {"ok": False, "code": failed.code, "message": str(failed), "begun": begun}
    except OSError as error:
        answer = {"ok": False, "code": "RUN_DIR_UNUSABLE", "message": str(error), "begun": begun}
    json.dump(answer, sys.stdout)


main()
