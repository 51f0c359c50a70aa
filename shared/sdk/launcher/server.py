"""One server: how it becomes a process, how it is watched, how it ends."""

import errno
import json
import os
import pwd
import resource
import select
import signal
import time

from ports import answers, hears, holds, listeners, note_port, pick_port
from processes import MARK, Failed, alive, below, boot_id, everybody, identity, marked, send, timestamp
from records import load, look_up, save

VERSION = 1
ATTEMPTS = 5
CHILD_SECONDS = 10  # as long as a child may take to become the server
SIGNALS = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT}


def name_of(number):
    """A signal's name; real-time signals have two names between them."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIGRTMIN+{number - signal.SIGRTMIN}"


class Server:
    """One server and its launcher. `own` when the process is our child, else it is looked after for a dead launcher."""

    def __init__(self, spec, folder, state=None):
        self.spec, self.folder, self.own = spec, folder, state is None
        self.state = state or {"v": VERSION, "tag": spec["tag"], "phase": "claimed", "bootId": boot_id(), "child": None}
        self.state.update(launcher=identity(os.getpid()), startedAt=self.state.get("startedAt") or timestamp())
        self.ended = None  # how, once it is written down
        self.status = None  # wait status of our child, once it ended
        self.relay = 0
        self.output = -1
        self.began = self.asked = self.limit = None
        self.rung = 0
        self.seen = []  # processes of the tree when it was last looked at

    def note(self, **facts):
        self.state.update(facts)
        save(self.folder, "state.json", self.state)

    def end(self, cause, code=None, message=""):
        number = os.WTERMSIG(self.status) if self.status is not None and os.WIFSIGNALED(self.status) else 0
        if self.state.get("port"):
            note_port(self.spec["runDir"], self.state["port"], self.spec["tag"])
        record = {
            "v": VERSION,
            "tag": self.spec["tag"],
            "cause": cause,
            "exitCode": os.WEXITSTATUS(self.status) if self.status is not None and not number else None,
            "signal": name_of(number) if number else None,
            "at": timestamp(),
            "code": code,
            "message": message,
        }
        self.ended = record
        save(self.folder, "exit.json", record)

    # starting

    def account(self):
        name = self.spec.get("account")
        if self.spec.get("ownAccount"):
            return pwd.getpwuid(os.getuid())
        if not name:
            return None
        if os.getuid() != 0:
            raise Failed("NEEDS_ROOT", "only root can start servers as other accounts")
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            raise Failed("ACCOUNT_MISSING", "no account %r on this machine" % name)
        if entry.pw_uid < self.spec.get("minUid", 1):
            raise Failed("ACCOUNT_REFUSED", "account %r has uid %d" % (name, entry.pw_uid))
        return entry

    def launch(self):
        spec, account = self.spec, self.account()
        first, last = spec["portRange"]
        port = pick_port(spec["runDir"], spec["tag"], spec["host"], first, last, spec["portRestSeconds"])
        shown = "[%s]" % spec["host"] if ":" in spec["host"] else spec["host"]
        url = "http://%s:%d" % (shown, port)
        env = {"HOME": account.pw_dir, "SHELL": account.pw_shell, "USER": account.pw_name, "LOGNAME": account.pw_name} if account else {}
        env.update(spec["env"], JUPYTERHUB_SERVICE_URL=url + spec["servicePrefix"])
        env[MARK] = spec["tag"]
        self.output, written = os.pipe()
        go, say_go = os.pipe()
        fault, tell_fault = os.pipe()
        self.start_relay()
        pid = os.fork()
        if pid == 0:
            os.close(say_go)
            self.become(account, env, written, go, tell_fault)
        for end in (written, go, tell_fault):
            os.close(end)
        # The child waits for this record: a launcher that dies here leaves a child that ends, not one that nobody knows.
        uid = account.pw_uid if account else os.getuid()
        self.note(phase="forked", child=identity(pid), uid=uid, host=spec["host"], port=port, url=url)
        self.status, self.began = None, time.monotonic()
        os.write(say_go, b"g")
        os.close(say_go)
        problem = self.hear(fault)
        os.close(fault)
        if problem:
            raise Failed(*json.loads(problem))
        self.note(phase="starting")

    def hear(self, fault):
        """What kept the child from becoming the server; empty when it became it. A home that hangs does not hang us."""
        until = time.monotonic() + CHILD_SECONDS
        while not select.select([fault], [], [], 0.2)[0]:
            if time.monotonic() < until and load(self.folder, "stop") is None:
                continue
            send(self.state["child"], signal.SIGKILL)
            if load(self.folder, "stop") is not None:
                raise Failed("CANCELLED", "stopped before it started")
            raise Failed("CWD_UNUSABLE", "the home did not answer in time: %s" % (self.spec.get("cwd") or "of the account"))
        return os.read(fault, 65536)

    def become(self, account, env, output, go, fault):
        """In the child: becomes the server, or tells why not."""
        spec = self.spec
        try:
            os.setsid()
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            if os.read(go, 1) != b"g":
                os._exit(1)
            os.dup2(output, 1)
            os.dup2(output, 2)
            for name, value in (spec.get("limits") or {}).items():
                kind = getattr(resource, "RLIMIT_" + name.upper(), None)
                if kind is None:
                    raise Failed("LIMIT_REFUSED", "no limit of the name %r" % name)
                try:
                    resource.setrlimit(kind, (value, value))
                except (ValueError, OSError) as error:
                    raise Failed("LIMIT_REFUSED", "cannot set %s to %d: %s" % (name, value, error))
            os.umask(int(spec.get("umask", "022"), 8))
            if account and account.pw_uid != os.getuid():
                try:
                    os.initgroups(account.pw_name, account.pw_gid)
                    os.setgid(account.pw_gid)
                    os.setuid(account.pw_uid)
                except OSError as error:
                    raise Failed("NEEDS_ROOT", "cannot become %s: %s" % (account.pw_name, error.strerror))
            cwd = spec.get("cwd") or (account.pw_dir if account else "/")
            try:
                os.chdir(cwd)
            except OSError as error:
                raise Failed("CWD_UNUSABLE", "cannot enter %s: %s" % (cwd, error.strerror))
            try:
                os.execvpe(spec["argv"][0], spec["argv"], env)
            except OSError as error:
                why = "no such command" if error.errno == errno.ENOENT else error.strerror
                raise Failed("COMMAND_NOT_FOUND", "%s: %s" % (spec["argv"][0], why))
        except Failed as failed:
            os.write(fault, json.dumps([failed.code, str(failed)]).encode())
        except BaseException as error:
            os.write(fault, json.dumps(["LAUNCHER_FAILED", repr(error)]).encode())
        os._exit(127)

    def start_relay(self):
        """A process of its own carries output to the log, so that a dead launcher neither blocks nor breaks the server."""
        self.relay = os.fork()
        if self.relay:
            return
        try:
            for number in SIGNALS:
                signal.signal(number, signal.SIG_IGN)
            os.setsid()
            # Nothing else may stay open here, the lock least of all: it means that the launcher lives.
            os.dup2(self.output, 0)
            os.closerange(3, 256)
            path, half, log = os.path.join(self.folder, "log"), max(1, self.spec["logBytes"] // 2), -1
            while True:
                try:
                    if log < 0:
                        log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
                        room = half - os.fstat(log).st_size
                except OSError:
                    room = half  # the folder is gone: the server goes on without a log
                data = os.read(0, max(1, min(65536, room)))
                if not data:
                    break
                try:
                    room -= os.write(log, data)
                except OSError:
                    continue  # a full disk costs the log, not the server
                if room <= 0:
                    os.close(log)
                    log = -1
                    try:
                        os.rename(path, path + ".1")
                    except OSError:
                        pass
            if self.state.get("port"):
                note_port(self.spec["runDir"], self.state["port"], self.spec["tag"])
        finally:
            os._exit(0)

    # watching

    def tree(self):
        """Identities of all that belongs to the server, without the launcher's own helpers."""
        table, child = everybody(), self.state["child"]
        if self.own:
            return [who for who in below({os.getpid()}, table) if who["pid"] != self.relay]
        found = marked(self.spec["tag"], self.state["uid"], child["start"], table)
        if alive(child):  # then its pid and session are its own
            found += [child] + below({child["pid"]}, table)
            found += [{"pid": pid, "start": stat[3]} for pid, stat in table.items() if stat[2] == child["pid"]]
        return list({(who["pid"], who["start"]): who for who in found}.values())

    def listens(self):
        """True: our own process listens. False: nobody does. None: somebody else took the port."""
        host, port = self.state["host"], self.state["port"]
        if not answers(host, port):
            return False
        if not self.spec.get("checkListener", True):
            return True
        rows = [row for row in listeners(port) if hears(host, row[2])]
        inodes = {"socket:[%s]" % row[0] for row in rows}
        if not inodes:
            return False
        tree = {who["pid"] for who in self.tree()}
        looks = [holds(pid, inodes) for pid in tree]
        if True in looks:
            return True
        if None in looks and all(row[1] == self.state["uid"] for row in rows):
            return True  # a process of our tree that may not be looked at
        return None

    def reap(self):
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if self.own and pid == self.state["child"]["pid"]:
                self.status = status
            elif pid == self.relay:
                self.relay = 0
                if status != 0:  # killed; nothing is lost, the pipe is still open here
                    self.start_relay()

    def gone(self):
        return self.status is not None if self.own else not alive(self.state["child"])

    # ending

    def stop_asked(self):
        wish = load(self.folder, "stop")
        if wish is None:
            return False
        limit = time.monotonic() + wish["graceSeconds"]
        self.limit = min(self.limit, limit) if self.limit is not None else limit
        return True

    def climb(self):
        """INT to the server, at half of the grace TERM to all of it, at its end KILL to all of it."""
        at = time.monotonic()
        if self.asked is None:
            if not self.stop_asked():
                self.limit = at + self.spec.get("graceSeconds", 10)
            self.asked = at
            self.note(phase="stopping")
            send(self.state["child"], signal.SIGINT)
            send(self.state["child"], signal.SIGCONT)
        if at >= self.limit:
            self.strike(signal.SIGKILL)
        elif self.rung == 0 and at >= (self.asked + self.limit) / 2:
            self.rung = 1
            self.strike(signal.SIGTERM)

    def strike(self, number):
        for who in self.tree():
            send(who, number)

    def sweep(self, patience):
        """Ends what the server left behind."""
        until = time.monotonic() + patience
        left = self.tree()
        for who in left:
            send(who, signal.SIGTERM)
        while left and time.monotonic() < until + 10:
            signal.sigtimedwait(SIGNALS, 0.05)
            self.reap()
            left = self.tree()
            if time.monotonic() >= until:
                for who in left:
                    send(who, signal.SIGKILL)
        until = time.monotonic() + 1
        while self.relay and time.monotonic() < until:  # the last lines
            signal.sigtimedwait(SIGNALS, 0.05)
            self.reap()

    def again(self):
        """The port went to somebody else: once more, with another one."""
        self.strike(signal.SIGKILL)
        self.sweep(0)
        os.close(self.output)
        self.state["attempt"] = self.state.get("attempt", 1) + 1
        if self.state["attempt"] > ATTEMPTS:
            raise Failed("PORT_LOST", "other programs took %d ports before the server could listen" % ATTEMPTS)
        self.launch()

    def pause(self):
        """How long to sleep unless a signal comes."""
        if self.asked is not None or (not self.own and self.gone()):
            return 0.1
        if self.state["phase"] == "starting":
            age = time.monotonic() - self.began
            return 0.03 if age < 3 else 0.1 if age < 20 else 0.5
        return 45 if self.own else 1

    def watch(self):
        """Until the end of the server."""
        rested = time.monotonic()
        if self.began is None:
            self.began = rested
        while True:
            self.reap()
            if self.asked is not None:
                self.climb()
            elif self.state["phase"] in ("forked", "starting") and self.own:
                listening = self.listens()
                if listening is None:
                    self.again()
                    continue
                if listening and not self.gone():
                    self.note(phase="running")
            elif self.state["phase"] in ("forked", "starting") and self.listens():
                self.note(phase="running")
            if self.gone():
                break
            if time.monotonic() - rested > 40:  # as long as it lives, its port is not given out
                rested = time.monotonic()
                note_port(self.spec["runDir"], self.state["port"], self.spec["tag"])
            got = signal.sigtimedwait(SIGNALS, self.pause())
            if got and got.si_signo != signal.SIGCHLD:
                if self.asked is None:
                    self.climb()
                else:
                    self.stop_asked()
        self.sweep(2 if self.asked is None else max(0, min(2, self.limit - time.monotonic())))
        if self.asked is not None:
            self.end("stopped")
        elif self.status is None:
            self.end("gone", message="the server ended while no launcher watched it")
        else:
            self.end("signalled" if os.WIFSIGNALED(self.status) else "exited")

    def run(self, tell):
        # First our name, then a look for a stop. Who stops does it the other way round: one of us sees the other.
        try:
            self.note()
            if self.own and self.stop_asked():
                raise Failed("CANCELLED", "stopped before it started")
            if self.own:
                self.launch()
            tell(report(self.folder))
            if self.stop_asked():
                self.climb()
            self.watch()
        except Failed as failed:
            self.end("failed", failed.code, str(failed))
            # Known here, though the child that failed may take a moment to go, or hang in a home.
            tell(dict(report(self.folder), exit=self.ended))


def report(folder):
    state, ended = look_up(folder)
    return {"ok": True, "state": state, "exit": ended}
