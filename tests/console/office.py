"""One office for the console: Asterisk, engine, database, users, all of its own, and gone afterwards."""

import fcntl
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
NUMBER = "74951234567"
PASSWORD = "correct horse battery staple"
# Places of tests/e2e begin at 10000; this one lies above them and below what the system hands out by itself.
FIRST, PLACES, EACH = 22_000, 3, 2_000


def wait_for(what, seconds, probe):
    """Waits until `probe` answers something true; gives that."""
    end = time.monotonic() + seconds
    last = None
    while time.monotonic() < end:
        try:
            found = probe()
            if found:
                return found
            last = found
        except AssertionError:
            raise
        except Exception as cause:  # Not yet.
            last = repr(cause)
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s: {what}; last seen: {last}")


class Ports:
    """Ports that belong to this office as long as it lives."""

    def __init__(self):
        end = time.monotonic() + 600
        while True:
            for place in range(PLACES):
                lock = open(f"{tempfile.gettempdir()}/perezvon-console-{place}.lock", "a")
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    lock.close()
                    continue
                self.lock, self.next = lock, FIRST + place * EACH
                self.rtp = (self.next + 1000, self.next + 1599)
                return
            assert time.monotonic() < end, "no place for another office: are other tests hanging?"
            time.sleep(0.2)

    def one(self):
        while True:
            port = self.next
            self.next += 1
            with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
                try:
                    tcp.bind(("127.0.0.1", port))
                    udp.bind(("127.0.0.1", port))
                    return port
                except OSError:
                    continue

    def media(self, legs):
        first = self.next + self.next % 2
        self.next = first + 2 * legs + 4
        return first


def own_address():
    """An address of this machine that is not loopback: Asterisk offers no other to a browser."""
    with socket.socket(type=socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.77", 9))
            address = probe.getsockname()[0]
            if not address.startswith("127."):
                return address
        except OSError:
            pass
    subprocess.run(["ip", "addr", "replace", "198.51.100.10/32", "dev", "lo"], check=True)
    return "198.51.100.10"


class Api:
    """The API as one user, outside the browser."""

    def __init__(self, base):
        self.base, self.cookie = base, None

    def ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.base}/api/v1{path}", data=data, method=method)
        request.add_header("Content-Type", "application/json")
        if self.cookie:
            request.add_header("Cookie", self.cookie)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                if answer.headers.get("Set-Cookie"):
                    self.cookie = answer.headers["Set-Cookie"].split(";")[0]
                raw = answer.read()
                kind = answer.headers.get("Content-Type", "")
                return json.loads(raw) if raw and "json" in kind else raw
        except urllib.error.HTTPError as refusal:
            raise AssertionError(f"{method} {path}: {refusal.code} {refusal.read().decode()}") from None

    def get(self, path):
        return self.ask("GET", path)

    def post(self, path, body=None):
        return self.ask("POST", path, body)

    def log_in(self, login):
        self.post("/session", {"login": login, "password": PASSWORD})
        return self


class Office:
    """The running office. `agents` maps logins of dispatchers to their ids."""

    def __init__(self, binary):
        self.binary, self.ports = binary, Ports()
        self.dir = Path(tempfile.mkdtemp(prefix="pz-console-"))
        self.sip, self.http, self.web, self.trunk = (self.ports.one() for _ in range(4))
        self.base = f"http://localhost:{self.web}"
        self.processes, self.agents, self.passwords = {}, {}, {}
        self.ari_password = secrets.token_urlsafe(12)
        try:
            self._configure()
            self.start_asterisk()
            self.command("user", "add", "--login", "chief", "--role", "administrator", "--password-stdin", typed=PASSWORD)
            self.start_engine()
            self.chief = Api(self.base).log_in("chief")
        except BaseException:
            self.close(keep=True)
            raise

    def _configure(self):
        self.config = self.dir / "perezvon.toml"
        self.config.write_text(f"""
[[asterisk.nodes]]
name = "test"
url = "http://127.0.0.1:{self.http}"
username = "perezvon"
password = "{self.ari_password}"
sounds_dir = "{REPOSITORY}/sounds"
[database]
url = "sqlite://{self.dir}/perezvon.db"
[web]
listen = "127.0.0.1:{self.web}"
[recording]
dir = "{self.dir}/recordings"
[transcripts]
command = ["python3", "{REPOSITORY}/tests/console/tells_tones.py", "{{file}}"]
[speech]
engine = "none"
[telemetry]
log = "info,perezvon=debug,perezvon::shell::web=info"
[queue.defaults]
wrap_up_seconds = 0
announce_first_seconds = 0
ring_seconds = 20
[office]
greeting = false
[limits]
trunk = "trunk"
allowed_numbers = ["+7"]
""")
        (self.dir / "extra").mkdir()
        # Asterisk never offers 127/8 to a browser; and Chromium of a test comes from nowhere else.
        (self.dir / "extra/rtp.conf").write_text(f"[ice_host_candidates]\n{own_address()} => 127.0.0.1\n")

    def start(self, name, *command):
        log = open(self.dir / f"{name}.log", "ab")
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--", *map(str, command)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.dir, start_new_session=True,
        )
        self.processes[name] = process
        return process

    def start_asterisk(self):
        asterisk = self.start(
            "asterisk", REPOSITORY / "deploy/asterisk/start", "--root", os.environ["PEREZVON_ASTERISK_ROOT"],
            "--dir", self.dir / "asterisk", "--name", f"console-{self.sip}", "--sip-port", self.sip,
            "--http-port", self.http, "--rtp-start", self.ports.rtp[0], "--rtp-end", self.ports.rtp[1],
            "--ari-password", self.ari_password, "--trunk-contact", f"127.0.0.1:{self.trunk}",
            "--extra", self.dir / "extra/rtp.conf",
        )
        def answers():
            assert asterisk.poll() is None, f"Asterisk ended: {self.tail('asterisk')}"
            return self.ari("GET", "/asterisk/ping")
        wait_for("Asterisk answers", 40, answers)

    def start_engine(self):
        engine = self.start("engine", self.binary, "serve", "--config", self.config)
        def ready():
            assert engine.poll() is None, f"the engine ended: {self.tail('engine')}"
            try:
                with urllib.request.urlopen(f"{self.base}/health/ready", timeout=2) as answer:
                    return answer.status == 200
            except urllib.error.HTTPError as not_yet:
                raise RuntimeError(not_yet.read().decode()) from None
        wait_for("the engine is ready", 30, ready)

    def reconfigure(self, old, new):
        """The engine anew, with this in place of that in its configuration."""
        self.stop("engine")
        self.config.write_text(self.config.read_text().replace(old, new))
        self.start_engine()
        self.chief.log_in("chief")

    def ari(self, method, path):
        request = urllib.request.Request(f"http://127.0.0.1:{self.http}/ari{path}", method=method)
        import base64
        token = base64.b64encode(f"perezvon:{self.ari_password}".encode()).decode()
        request.add_header("Authorization", f"Basic {token}")
        with urllib.request.urlopen(request, timeout=5) as answer:
            raw = answer.read()
            return json.loads(raw) if raw else {}

    def command(self, *words, typed=None):
        done = subprocess.run(
            [self.binary, *words, "--config", self.config], input=typed, capture_output=True, text=True, timeout=60,
        )
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def dispatcher(self, login, name, phone="browser", role="agent"):
        """A dispatcher, or somebody else with a phone, with a login of the same name."""
        agent = self.chief.post("/agents", {"name": name, "endpoint": f"agent-{login}", "phone": phone})
        self.chief.post("/users", {"login": login, "password": PASSWORD, "role": role, "agent": agent["id"]})
        self.agents[login], self.passwords[login] = agent["id"], agent["sip_password"]
        return agent

    def user(self, login, role):
        self.chief.post("/users", {"login": login, "password": PASSWORD, "role": role})

    def agent(self, login):
        agents = self.chief.get("/queue")["agents"]
        return next(agent for agent in agents if agent["id"] == self.agents[login])

    def live(self):
        return self.chief.get("/calls/live")["items"]

    def tail(self, name, lines=25):
        path = self.dir / f"{name}.log"
        text = path.read_text(errors="replace") if path.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def errors(self):
        return [line for line in (self.dir / "engine.log").read_text(errors="replace").splitlines() if " ERROR " in line]

    def stop(self, name, how=signal.SIGTERM):
        process = self.processes.pop(name, None)
        if process and process.poll() is None:
            process.send_signal(how)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def close(self, keep=False):
        for name in [name for name in self.processes if name not in ("engine", "asterisk")]:
            self.stop(name, signal.SIGKILL)
        self.stop("engine")
        self.stop("asterisk", signal.SIGKILL)
        if keep:
            print(f"What the office left behind is in {self.dir}")
            for name in ("engine", "asterisk"):
                print(f"---- the end of {name}.log\n{self.tail(name, 12)}")
        else:
            shutil.rmtree(self.dir, ignore_errors=True)
        self.ports.lock.close()
