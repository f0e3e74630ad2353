"""Chromium with a fake microphone, and a dispatcher who sits at it."""

import math
import os
import shutil
import signal

from office import PASSWORD, wait_for
import sound

# Keeps the sound that comes from the line, so that its tone can be measured in the page.
EARS = """
(() => {
  const Peer = window.RTCPeerConnection;
  window.ears = { last: null };
  window.RTCPeerConnection = class extends Peer {
    constructor(...all) {
      super(...all);
      window.ears.connection = this;
      this.addEventListener('track', (event) => {
        if (window.ears.last) window.ears.last.context.close();
        const context = new AudioContext();
        const source = context.createMediaStreamSource(event.streams[0] || new MediaStream([event.track]));
        const analyser = context.createAnalyser();
        analyser.fftSize = 8192;
        source.connect(analyser);
        window.ears.last = { context, analyser, source };
      });
    }
  };
  window.hears = () => {
    const ear = window.ears.last;
    if (!ear) return null;
    const bins = new Float32Array(ear.analyser.frequencyBinCount);
    ear.analyser.getFloatFrequencyData(bins);
    let top = 1;
    for (let at = 2; at < bins.length; at += 1) if (bins[at] > bins[top]) top = at;
    return { hertz: (top * ear.context.sampleRate) / ear.analyser.fftSize, level: bins[top] };
  };
  // How loud it is at this frequency.
  window.loud = (hertz) => {
    const ear = window.ears.last;
    if (!ear) return null;
    const bins = new Float32Array(ear.analyser.frequencyBinCount);
    ear.analyser.getFloatFrequencyData(bins);
    const at = Math.round((hertz * ear.analyser.fftSize) / ear.context.sampleRate);
    return Math.max(...bins.slice(at - 1, at + 2));
  };
})();
"""

# Remembers what the desktop was given to show. A browser without a screen never hides a page by itself.
DESKTOP = """
(() => {
  const Real = window.Notification;
  if (!Real) return;
  window.onDesktop = [];
  window.Notification = class extends Real {
    constructor(title, options) {
      super(title, options);
      const one = { title, body: (options || {}).body || '', shown: false, closed: false };
      window.onDesktop.push(one);
      this.addEventListener('show', () => (one.shown = true));
      this.addEventListener('close', () => (one.closed = true));
    }
  };
})();
"""

# Remembers which tones the page itself made, and where; and the players of voices.
SOUNDS = """
(() => {
  window.sounded = [];
  const start = AudioScheduledSourceNode.prototype.start;
  AudioScheduledSourceNode.prototype.start = function (...all) {
    if (this.frequency) window.sounded.push({ hertz: this.frequency.value, context: this.context });
    return start.apply(this, all);
  };
  window.tones = () => window.sounded.map(({ hertz, context }) => ({ hertz, sink: context.sinkId || '', running: context.state === 'running' }));
  const Player = window.Audio;
  window.voices = [];
  window.Audio = function (...all) {
    const one = new Player(...all);
    window.voices.push(one);
    return one;
  };
})();
"""


class Desk:
    """A dispatcher's browser. Quiet devices: no processing that would take a tone for noise."""

    def __init__(self, playwright, office, login, dark=False, size=(1280, 720), settings=None, microphone=True, https=False, line=None):
        self.office, self.login = office, login
        self.base = line.base if line else office.base.replace("http:", "https:") if https else office.base
        tone = office.dir / f"{login}.wav"
        sound.microphone(tone, sound.DISPATCHERS.get(login, 800))
        devices = ["--use-fake-device-for-media-stream", f"--use-file-for-fake-audio-capture={tone}"] if microphone else []
        # There is one, but the person, or the company, does not let the page have it.
        allows = "--use-fake-ui-for-media-stream=deny" if microphone == "denied" else "--use-fake-ui-for-media-stream"
        self.browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), headless=True,
            args=["--no-sandbox", "--allow-loopback-in-peer-connection", allows, *devices,
                  "--autoplay-policy=no-user-gesture-required", "--disable-features=WebRtcHideLocalIpsWithMdns"],
        )
        self.context = self.browser.new_context(
            viewport={"width": size[0], "height": size[1]}, locale="ru-RU", permissions=["microphone", "notifications"],
            color_scheme="dark" if dark else "light", ignore_https_errors=https,
        )
        wishes = {"voice_processing": False, **(settings or {})}
        script = "".join(
            f"if (localStorage.getItem('perezvon.{name}') === null) localStorage.setItem('perezvon.{name}', {value!r});"
            for name, value in ((name, __import__('json').dumps(value)) for name, value in wishes.items())
        )
        self.context.add_init_script(script + EARS + DESKTOP + SOUNDS)
        self.page = self.context.new_page()
        self.faults = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", lambda message: message.type == "error" and self.faults.append(message.text))
        # Requests that are on their way.
        self.asking = set()
        self.page.on("request", lambda request: self.asking.add(request))
        self.page.on("requestfinished", lambda request: self.asking.discard(request))
        self.page.on("requestfailed", lambda request: self.asking.discard(request))

    def open(self, where=""):
        self.page.goto(f"{self.base}/{where}")
        return self

    def log_in(self, ready=True):
        self.open()
        self.page.fill("input[name=login]", self.login)
        self.page.fill("input[name=password]", PASSWORD)
        self.page.press("input[name=password]", "Enter")
        self.page.wait_for_selector("header.bar")
        if self.login in self.office.agents and ready:
            self.registered()
            self.ready()
        return self

    def registered(self):
        self.page.wait_for_selector("[data-phone=ready]", timeout=20_000)

    def ready(self):
        self.page.click(".own-state button:first-child")
        self.wait_agent(status="ready", state="idle")

    def wait_agent(self, seconds=15, **wanted):
        def fits():
            agent = self.office.agent(self.login)
            return all(agent.get(key) == value for key, value in wanted.items()) and agent
        return wait_for(f"{self.login} is {wanted}", seconds, fits)

    def rings(self, seconds=15):
        self.page.wait_for_selector(".phone[data-stage=offered] .buttons button.good:not(:disabled)", timeout=seconds * 1000)

    def answer_within(self, seconds):
        self.rings(seconds)
        self.answer()

    def answer_offer_of_colleague(self):
        """What rings is a colleague who asks."""
        self.page.wait_for_selector(".phone .buttons button.good:not(:disabled)", timeout=15_000)
        self.page.keyboard.press("F2")

    def kill(self):
        """Without a word, as when the computer loses its power."""
        session = self.browser.new_browser_cdp_session()
        processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
        for process in sorted(processes, key=lambda process: process["type"] != "browser", reverse=True):
            try:
                os.kill(process["id"], signal.SIGKILL)
            except ProcessLookupError:
                pass

    def answer(self):
        self.rings()
        self.page.click(".phone .buttons button.good")
        self.page.wait_for_selector(".phone[data-stage=talking]", timeout=10_000)

    def hears(self, hertz, seconds=10):
        def right():
            heard = self.page.evaluate("window.hears()")
            return heard if heard and abs(heard["hertz"] - hertz) < 15 and heard["level"] > -60 else None
        return wait_for(f"{self.login} hears {hertz} Hz", seconds, right)

    def hears_all(self, present, absent=(), seconds=10):
        """Among all that is heard are these tones, and not those."""
        def right():
            loud = {hertz: self.page.evaluate(f"window.loud({hertz})") for hertz in (*present, *absent)}
            fits = all((loud[hertz] or -200) > -60 for hertz in present) and all((loud[hertz] or -200) < -70 for hertz in absent)
            if not fits:
                raise LookupError(loud)
            return loud
        return wait_for(f"{self.login} hears {present} and not {absent}", seconds, right)

    def has_heard(self, seconds):
        """So much sound has come to this browser since the call of this."""
        measure = """async () => {
          let heard = 0;
          for (const one of (await window.ears.connection.getStats()).values()) {
            if (one.type === 'inbound-rtp') heard += one.totalSamplesDuration || 0;
          }
          return heard;
        }"""
        before = self.page.evaluate(measure)
        wait_for(f"{self.login} has heard {seconds} s of sound", seconds + 10, lambda: self.page.evaluate(measure) >= before + seconds)

    def is_drawn(self):
        """Nothing is being read, and what was read is on the screen."""
        def settled():
            # The page is asked first: what it does is heard of while it answers.
            reading = self.page.query_selector("main .loading, main [aria-busy=true]")
            return not reading and not self.asking
        wait_for(f"the page of {self.login} is drawn", 15, settled)
        self.page.evaluate("document.fonts.ready.then(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))))")
        if not settled():
            self.is_drawn()

    def away(self):
        """The person looks at another window."""
        self.page.evaluate("Object.defineProperty(document, 'hidden', { get: () => true, configurable: true })")

    def shown_on_desktop(self):
        return self.page.evaluate("window.onDesktop.filter((one) => one.shown)")

    def hears_nothing_of(self, hertz):
        heard = self.page.evaluate("window.hears()")
        assert heard is None or abs(heard["hertz"] - hertz) > 15 or heard["level"] < -70 or math.isinf(heard["level"]), heard

    def button(self, text):
        return self.page.get_by_role("button", name=text)

    def close(self):
        self.browser.close()
