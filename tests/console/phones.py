"""Callers, played by SIPp with the scenarios of tests/e2e."""

import itertools

from office import NUMBER, REPOSITORY, wait_for
from sound import CALLER, g711

_count = itertools.count(1)
#: Of a phone on the desk.
DESK_PHONE = 900


class Sipp:
    """A process of SIPp in a folder of its own, and what its scenario notes there."""

    def __init__(self, office, scenario, port, hertz, lines=None, more=()):
        self.office, self.name = office, f"sipp-{next(_count)}"
        self.folder = office.dir / self.name
        self.folder.mkdir()
        g711(self.folder / "tone.ul", hertz)
        command = ["sipp", f"127.0.0.1:{office.sip}", "-sf", REPOSITORY / f"tests/e2e/sipp/{scenario}.xml",
                   "-i", "127.0.0.1", "-mi", "127.0.0.1", "-nostdin", "-l", "1000", "-timeout", "300", "-trace_err",
                   "-error_file", self.folder / "errors.log", "-trace_logs", "-log_file", self.folder / "calls.log",
                   "-p", port, "-mp", office.ports.media(len(lines or range(10))), "-cp", office.ports.one(), *more]
        if lines:
            (self.folder / "calls.csv").write_text("".join(f"{line}\n" for line in ["SEQUENTIAL", *lines]))
            command += ["-inf", self.folder / "calls.csv", "-m", len(lines)]
        self.prepare()
        self.process = _start(office, self.name, self.folder, command)

    def prepare(self):
        """What else its scenario needs in the folder."""

    def noted(self, what):
        path = self.folder / "calls.log"
        lines = path.read_text().splitlines() if path.exists() else []
        return [line for line in lines if line.startswith(what)]

    def wait_noted(self, what, times=1, seconds=15):
        wait_for(f"SIPp noted {what!r} {times} times", seconds, lambda: len(self.noted(what)) >= times)


class Mobile(Sipp):
    """The network of mobiles behind the trunk: see the scenario."""

    def __init__(self, office):
        super().__init__(office, "mobile", office.trunk, CALLER)

    def prepare(self):
        for name, seconds in (("word.ul", 0.6), ("greeting.ul", 4.0)):
            g711(self.folder / name, CALLER, seconds)
        # Its numbers that say what a test wants: none here does, but SIPp wants the files.
        for number in range(11, 17):
            g711(self.folder / f"voice{number}.ul", CALLER, 0.6)


class DeskPhone(Sipp):
    """A telephone on the dispatcher's desk: it registers, and takes what comes."""

    def __init__(self, office, login):
        port, endpoint = office.ports.one(), f"agent-{login}"
        wait_for(f"Asterisk knows the phone {endpoint}", 10, lambda: any(
            pair == {"attribute": "webrtc", "value": "no"}
            for pair in office.ari("GET", f"/asterisk/config/dynamic/res_pjsip/endpoint/{endpoint}")))
        secret = f"[authentication username={endpoint} password={office.passwords[login]}]"
        # From the phone's own port: Asterisk believes where a registration comes from more than what it says.
        first = Sipp(office, "register", port, DESK_PHONE, [f"{endpoint};127.0.0.1:{port};600;{secret}"])
        assert first.process.wait(10) == 0, office.tail(f"{first.name}/output")
        super().__init__(office, "agent", port, DESK_PHONE,
                         more=["-key", "ring_ms", "10", "-key", "answer_ms", "200", "-key", "talk_ms", "0"])


class Caller(Sipp):
    """Callers who ring one after another; `hang_up_ms` after the answer they hang up, 0: never."""

    def __init__(self, office, numbers, hang_up_ms=0, rate=None, hertz=CALLER):
        numbers = [numbers] if isinstance(numbers, str) else numbers
        more = ["-r", rate[0], "-rp", rate[1]] if rate else []
        super().__init__(office, "caller", office.ports.one(), hertz, [f"{number};{NUMBER};{hang_up_ms}" for number in numbers], more)

    def hang_up(self):
        """Ended from outside, so that nothing is left behind."""
        for call in self.office.live():
            self.office.chief.post(f"/calls/{call['id']}/hangup")
        wait_for("no call is left", 10, lambda: not self.office.live())
        self.office.stop(self.name)


def _start(office, name, folder, command):
    import subprocess
    log = open(folder / "output.log", "ab")
    process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", *map(str, command)],
                               stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder, start_new_session=True)
    office.processes[name] = process
    return process
