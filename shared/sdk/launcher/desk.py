"""At a batch system, as the account of the user: submits, cancels, reads records. And in the job, by job.py.

The program arrives on stdin in one line, its order follows; the answer is one line of JSON. `{runDir}/{tag}/` holds

    order.json   what to run, secrets with it; the job reads and removes it     claim      which job is this server
    launch.py, launch.json   this program and its order in the job               stop       somebody asked for the end
    state.json, exit.json, log, log.1   see launch.py                            job.out    what else the job printed
"""

import fcntl
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time

from job import follow_parent, run_job
from processes import Failed, timestamp
from records import SAFE, create, last_lines, load, load_state, save


def call(spec, argv, given="", cwd="/"):
    """Runs a command of the batch system with a clean environment."""
    me = pwd.getpwuid(os.getuid())
    env = {"PATH": os.defpath + ":/usr/local/bin:/usr/sbin", "LANG": "C.UTF-8", "HOME": me.pw_dir, "SHELL": me.pw_shell}
    env.update(spec["environment"], USER=me.pw_name, LOGNAME=me.pw_name)
    try:
        done = subprocess.run(
            argv,
            input=given.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env=env,
            timeout=spec["commandSeconds"],
            preexec_fn=follow_parent,
        )
    except subprocess.TimeoutExpired:
        raise Failed("DEADLINE", "%s did not answer within %d s" % (os.path.basename(argv[0]), spec["commandSeconds"]))
    except OSError as error:
        raise Failed("SCHEDULER_MISSING", "%s: %s" % (argv[0], error.strerror))
    text = [part.decode("utf-8", "replace")[:65536] for part in (done.stdout, done.stderr)]
    return {"exitCode": done.returncode, "stdout": text[0], "stderr": text[1]}


def folder_of(spec, make=False):
    """The folder of this tag; made when asked for."""
    home, run = pwd.getpwuid(os.getuid()).pw_dir, spec["runDir"]
    run = os.path.join(home, run[2:] if run.startswith("~/") else run)
    folder = os.path.join(run, spec["tag"])
    if make:
        os.makedirs(run, 0o700, exist_ok=True)
        os.makedirs(folder, 0o700, exist_ok=True)
    return folder


def turn(folder, seconds):
    """Waits until no other submit of this server is under way. Without locks (some shared file systems) nobody waits: then the claim in the job alone decides."""
    until = time.monotonic() + seconds
    lock = os.open(os.path.join(folder, "lock"), os.O_RDWR | os.O_CREAT | SAFE, 0o600)
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > until:
                raise Failed("BUSY", "another start of this server does not come to an end")
            time.sleep(0.02)
        except OSError:
            return


def unlink(folder, name):
    try:
        os.unlink(os.path.join(folder, name))
    except OSError:
        pass


def submit(spec):
    """Submits the job unless there is one of this name. Whoever asks again is told of the same job."""
    folder = folder_of(spec, make=True)
    turn(folder, spec["commandSeconds"] * 2)
    answer = {"uid": os.getuid(), "find": call(spec, spec["find"])}
    if answer["find"]["exitCode"] != 0 or answer["find"]["stdout"].strip():
        return answer
    if load(folder, "claim"):  # it ran and is over
        return dict(answer, submit=load(folder, "submitted.json"), over=True)
    unlink(folder, "stop")  # of a start that was taken back
    save(folder, "order.json", spec["order"])
    save(folder, "launch.json", {"action": "job", "tag": spec["tag"], "jobIdVariable": spec["jobIdVariable"]})
    with open(create(os.path.join(folder, "launch.py")), "w") as file:
        file.write(PROGRAM)
    answer["submit"] = call(spec, spec["submit"], spec["script"], folder)
    if answer["submit"]["exitCode"] == 0:
        save(folder, "submitted.json", answer["submit"])
        answer["find"] = call(spec, spec["find"])
    else:
        unlink(folder, "order.json")  # should it have been taken after all, it ends at once
    return answer


def cancel(spec):
    """Asks for the end, in whatever phase it is."""
    folder = folder_of(spec)
    if os.path.isdir(folder):
        save(folder, "stop", {"graceSeconds": spec["graceSeconds"], "at": timestamp()})
    answer = call(spec, spec["cancel"])
    unlink(folder, "order.json")  # what is queued still will not need it any more
    return {"cancel": answer}


def records(spec):
    """What is written down of each of these servers. A home that is away is a failure, not an absence."""
    os.stat(pwd.getpwuid(os.getuid()).pw_dir)
    found = {}
    for tag in spec["tags"]:
        folder = folder_of(dict(spec, tag=tag))
        found[tag] = {"claim": load(folder, "claim"), "state": load_state(folder), "exit": load(folder, "exit.json")}
    return {"records": found}


def tail(spec):
    """The last lines: what the job printed, then what the server did."""
    return {"lines": last_lines(folder_of(spec), ("job.out", "log.1", "log"), spec["lines"])}


def forget(spec):
    """Removes the folder. Renamed first: what still writes there does not bring it back."""
    folder = folder_of(spec)
    trash = "%s.ended-%d" % (folder, os.getpid())
    try:
        os.rename(folder, trash)
    except FileNotFoundError:
        return {}
    shutil.rmtree(trash, ignore_errors=True)
    return {}


def probe(spec):
    """Whether servers can be started from here."""
    folder = folder_of(dict(spec, tag="probe"), make=True)
    os.rmdir(folder)
    return {"uid": os.getuid(), "version": list(sys.version_info[:2]), "call": call(spec, spec["call"])}


ACTIONS = {"submit": submit, "cancel": cancel, "records": records, "tail": tail, "forget": forget, "probe": probe}


def main():
    spec = json.load(sys.stdin)
    if spec["action"] == "job":
        try:
            sys.exit(run_job(spec))
        except Failed as failed:
            sys.exit("%s: %s" % (failed.code, failed))
    try:
        signal.alarm(spec["seconds"])  # nobody waits longer; commands under way end with us
        os.umask(0o077)
        os.chdir("/")
        if os.getuid() < spec["minUid"]:
            raise Failed("ACCOUNT_REFUSED", "uid %d is below %d" % (os.getuid(), spec["minUid"]))
        answer = dict(ACTIONS[spec["action"]](spec), ok=True)
    except Failed as failed:
        answer = {"ok": False, "code": failed.code, "message": str(failed)}
    except OSError as error:
        answer = {"ok": False, "code": "RUN_DIR_UNUSABLE", "message": str(error)}
    json.dump(answer, sys.stdout)


main()
