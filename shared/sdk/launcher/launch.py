"""Starts one server process, looks after it until its end, and leaves records that outlive everybody.

Run as `python3 -I -S launch.py`; one JSON request on stdin, one JSON answer on stdout. Python 3.9+, Linux, standard
library only: the same file serves this machine, a host behind ssh and a batch job. Secrets come in on stdin and go
into the environment of the server, nowhere else.

`{runDir}/{tag}/` is the identity of a server. Who holds the flock on its file `lock` looks after it: a lock cannot
go stale, so a claim whose maker died before it started anything is taken over, and one server is never started twice.

    lock        held by the launcher as long as it lives        state.json  who runs, and where
    log, log.1  output, bounded, newest kept                    exit.json   how it ended
    stop        somebody asked for the end, with grace          launcher.log  faults of this program
"""

import errno
import fcntl
import json
import os
import pwd
import resource
import select
import signal
import socket
import sys
import time

VERSION = 1
MARK = "ELARA_TAG"
ATTEMPTS = 5
SIGNALS = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT}


class Failed(Exception):
    """A failure with a name the caller knows."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


# --- records -----------------------------------------------------------------------------------------------------


def timestamp():
    at = time.time()
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + ".%03dZ" % (at % 1 * 1000)


def save(folder, name, data):
    """All or nothing: a reader sees the old record or the new one."""
    path = os.path.join(folder, name)
    draft = "%s.%d" % (path, os.getpid())
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(data, file)
    os.rename(draft, path)


def load(folder, name):
    try:
        with open(os.path.join(folder, name)) as file:
            return json.load(file)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None


def lock_of(folder):
    """The lock as a descriptor, or None while somebody else holds it or the folder is gone."""
    path = os.path.join(folder, "lock")
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.stat(path).st_ino == os.fstat(lock).st_ino:
            return lock
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(lock)
    return None


# --- processes ---------------------------------------------------------------------------------------------------


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


def collect_orphans():
    """Makes this process the one that orphans below it fall to, so that none gets away."""
    try:
        import ctypes

        ctypes.CDLL(None, use_errno=True).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
    except (ImportError, OSError, AttributeError):
        pass  # strays are then found by their mark only


# --- ports -------------------------------------------------------------------------------------------------------


def note_port(run, port, tag):
    since_boot = time.clock_gettime(time.CLOCK_BOOTTIME)
    save(os.path.join(run, "ports"), str(port), {"tag": tag, "boot": boot_id(), "at": since_boot, "time": time.time()})


def rests(record, seconds):
    if not record:
        return False
    if record["boot"] == boot_id():
        return time.clock_gettime(time.CLOCK_BOOTTIME) - record["at"] < seconds
    return abs(time.time() - record["time"]) < seconds


def free(host, port):
    family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind) as probe:
        try:
            probe.bind(address)
            probe.listen(1)
            return True
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise Failed("HOST_UNUSABLE", "cannot listen on %s: %s" % (host, error.strerror))


def pick_port(run, tag, host, first, last, rest):
    """A port that is free and was not given out lately: a stale route must not lead to somebody else's server."""
    ports = os.path.join(run, "ports")
    os.makedirs(ports, 0o700, exist_ok=True)
    with open(os.open(os.path.join(ports, "lock"), os.O_RDWR | os.O_CREAT, 0o600)) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        count = last - first + 1
        begin = int.from_bytes(os.urandom(4), "big") % count
        for step in range(count):
            port = first + (begin + step) % count
            if not rests(load(ports, str(port)), rest) and free(host, port):
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
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    raw = socket.inet_pton(family, host)
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
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(0.2)
        return probe.connect_ex((host, port)) == 0


# --- the server --------------------------------------------------------------------------------------------------


class Server:
    """One server and its launcher. `own` when the process is our child, else it is looked after for a dead launcher."""

    def __init__(self, spec, folder, state=None):
        self.spec, self.folder, self.own = spec, folder, state is None
        self.state = state or {"v": VERSION, "tag": spec["tag"], "phase": "claimed", "bootId": boot_id(), "child": None}
        self.state.update(launcher=identity(os.getpid()), startedAt=self.state.get("startedAt") or timestamp())
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
            "signal": signal.Signals(number).name if number else None,
            "at": timestamp(),
            "code": code,
            "message": message,
        }
        save(self.folder, "exit.json", record)

    # starting

    def account(self):
        name = self.spec.get("account")
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
        with open(fault, "rb") as file:
            problem = file.read()
        if problem:
            self.status = os.waitpid(pid, 0)[1]
            raise Failed(*json.loads(problem))
        self.note(phase="starting")

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
            if account:
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
                if log < 0:
                    log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
                    room = half - os.fstat(log).st_size
                data = os.read(0, max(1, min(65536, room)))
                if not data:
                    break
                room -= os.write(log, data)
                if room <= 0:
                    os.close(log)
                    os.rename(path, path + ".1")
                    log = -1
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
            tell(report(self.folder))


# --- requests ----------------------------------------------------------------------------------------------------


def report(folder):
    return {"ok": True, "state": load(folder, "state.json"), "exit": load(folder, "exit.json")}


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
            log = os.open(os.path.join(server.folder, "launcher.log"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
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
    until = time.monotonic() + spec.get("waitSeconds", 10)
    while True:
        try:
            os.mkdir(folder, 0o700)
        except FileExistsError:
            pass
        lock = lock_of(folder)
        state, ended = load(folder, "state.json"), load(folder, "exit.json")
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
        return {"ok": True, "state": None, "exit": None}
    return attend(spec, folder)


def attend(spec, folder):
    """Sees to it that a launcher looks after the server, and hears of a stop."""
    until = time.monotonic() + 2
    while True:
        lock = lock_of(folder)
        state, ended = load(folder, "state.json"), load(folder, "exit.json")
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
    state = load(folder, "state.json")
    if state and state["child"] and state["bootId"] == boot_id():
        if alive(state["child"]):
            raise Failed("STILL_RUNNING", "the server has not ended")
        for who in marked(spec["tag"], state["uid"], state["child"]["start"], everybody()):
            send(who, signal.SIGKILL)
        note_port(spec["runDir"], state["port"], spec["tag"])
    # Renamed first: a start that comes meanwhile makes a folder of its own.
    trash = os.path.join(spec["runDir"], ".ended-%s-%d" % (spec["tag"], os.getpid()))
    os.rename(folder, trash)
    for name in os.listdir(trash):
        os.unlink(os.path.join(trash, name))
    os.rmdir(trash)
    return {"ok": True, "state": None, "exit": None}


def main():
    try:
        spec = json.load(sys.stdin)
        tag = spec["tag"]
        if not (tag.isascii() and tag.isalnum() and tag == tag.lower() and 8 <= len(tag) <= 64):
            raise Failed("REQUEST_INVALID", "the tag is malformed")
        if not os.path.isabs(spec["runDir"]):
            raise Failed("REQUEST_INVALID", "runDir is not absolute")
        os.umask(0o077)
        action = {"start": start, "stop": stop, "attend": attend, "cleanup": cleanup}[spec["action"]]
        answer = action(spec, os.path.join(spec["runDir"], tag))
    except Failed as failed:
        answer = {"ok": False, "code": failed.code, "message": str(failed)}
    except OSError as error:
        answer = {"ok": False, "code": "RUN_DIR_UNUSABLE", "message": str(error)}
    json.dump(answer, sys.stdout)


main()
