"""Ways of the telephone: keys, connections that die, calls of the office's own, a phone on the desk."""

import signal
import time

from line import Line
from office import wait_for
from phones import Caller, DeskPhone, Mobile
from sound import CALLER
from test_phone import tones_are_in

#: Answers, says a word, and talks.
TALKS = "79005550010"


def prepare(office):
    office.dispatcher("anna", "Анна Петрова")
    office.dispatcher("boris", "Борис Ким")


def test_keys_of_the_keypad_reach_asterisk(bench):
    bench.office.ari("POST", "/asterisk/logging/keys?configuration=dtmf")
    log = bench.office.dir / "asterisk"
    anna = bench.desk("anna").log_in()
    caller = Caller(bench.office, "79005553001")
    anna.answer()
    anna.hears(CALLER)
    anna.button("Клавиши").click()
    for key in "5#":
        anna.page.click(f".keypad button:text-is('{key}')")
        def came():
            texts = [path.read_text(errors="replace") for path in log.rglob("log/keys")]
            return any(f"DTMF end '{key}' received on PJSIP/agent-anna" in text for text in texts)
        wait_for(f"Asterisk has the key {key} of the agent's phone", 10, came)
    anna.hears(CALLER)
    anna.page.keyboard.press("F9")
    caller.wait_noted("was_hung_up")


def test_a_connection_that_dies_silently_is_noticed_and_the_talk_goes_on(bench):
    line = Line(bench.office)
    anna = bench.desk("anna", line=line).log_in()
    caller = Caller(bench.office, "79005553002")
    anna.answer()
    anna.hears(CALLER)
    died = time.monotonic()
    assert line.freeze() == 1
    anna.page.wait_for_selector("[data-phone=lost]", timeout=20_000)
    noticed = time.monotonic() - died
    anna.registered()
    print(f"     dead connection: noticed after {noticed:.1f} s, registered again after {time.monotonic() - died:.1f} s")
    assert time.monotonic() - died < 20
    anna.hears(CALLER)
    anna.has_heard(2.5)
    # Asterisk knows the new way: what it says inside the call arrives.
    bench.office.chief.post(f"/calls/{bench.office.live()[0]['id']}/hangup")
    wait_for("the page knows of the end", 10, lambda: not anna.page.query_selector("[data-stage=talking]"))
    caller.wait_noted("was_hung_up")
    anna.wait_agent(state="idle")
    tones_are_in(bench.office, "79005553002", "anna")


def test_a_connection_that_is_cut_comes_back_at_once_and_the_next_caller_rings(bench):
    line = Line(bench.office)
    anna = bench.desk("anna", line=line).log_in()
    caller = Caller(bench.office, "79005553003")
    anna.answer()
    anna.hears(CALLER)
    line.cut()
    anna.page.wait_for_selector("[data-phone=lost]", timeout=10_000)
    anna.registered()
    anna.hears(CALLER)
    anna.page.keyboard.press("F9")
    caller.wait_noted("was_hung_up")
    anna.wait_agent(state="idle")
    second = Caller(bench.office, "79005553004")
    anna.answer()
    anna.hears(CALLER)
    anna.page.keyboard.press("F9")
    second.wait_noted("was_hung_up")


def test_a_line_from_which_nothing_comes_is_told(bench):
    anna = bench.desk("anna").log_in()
    caller = Caller(bench.office, "79005553005")
    anna.answer()
    anna.hears(CALLER)
    # The caller's phone says nothing any more, not even silence.
    caller.process.send_signal(signal.SIGSTOP)
    anna.page.wait_for_selector(".strip.warn", timeout=10_000)
    caller.process.send_signal(signal.SIGCONT)
    anna.page.wait_for_selector(".strip.warn", state="detached", timeout=10_000)
    anna.hears(CALLER)
    anna.page.keyboard.press("F9")
    caller.wait_noted("was_hung_up")


def test_a_client_is_called_from_the_card(bench):
    mobile = Mobile(bench.office)
    client = bench.office.chief.post("/clients", {"name": {"name": "Ольга"}, "phones": [{"number": f"+{TALKS}"}]})
    # Who wants to call need not be ready for callers.
    anna = bench.desk("anna").log_in(ready=False)
    anna.registered()
    anna.page.evaluate(f"location.hash = '#/clients/{client['id']}'")
    anna.button("Позвонить").click()
    # The own phone rings first.
    anna.page.wait_for_selector(".phone .buttons button.good:not(:disabled)", timeout=10_000)
    assert not mobile.noted("invited")
    anna.page.keyboard.press("F2")
    mobile.wait_noted(f"answered {TALKS}")
    anna.wait_agent(state="talking")
    # After the word at the answer the client is quiet for a while.
    anna.has_heard(3.5)
    anna.hears(CALLER)
    anna.has_heard(3)
    anna.page.keyboard.press("F9")
    anna.wait_agent(state="idle")
    row = wait_for("the call stands in the journal", 10, lambda: next(
        (one for one in bench.office.chief.get(f"/calls?number=%2B{TALKS}")["items"] if one["outgoing"] and one["disposition"]), None))
    assert row["disposition"] == "COMPLETEAGENT", row
    tones_are_in(bench.office, TALKS, "anna")


def test_a_phone_on_the_desk_instead(bench):
    anna = bench.desk("anna").log_in()
    choose_phone(anna, "desk")
    anna.page.wait_for_selector("[data-phone=off]")
    phone = DeskPhone(bench.office, "anna")
    anna.wait_agent(reachable=True)
    caller = Caller(bench.office, "79005553006")
    phone.wait_noted("invited agent-anna")
    anna.page.wait_for_selector(".phone[data-stage=talking]", timeout=15_000)
    assert "555-30-06" in anna.page.inner_text(".card")
    # All but the handset works from the page.
    anna.page.keyboard.press("F4")
    anna.page.wait_for_selector("[data-stage=held]")
    anna.page.keyboard.press("F4")
    anna.page.wait_for_selector("[data-stage=talking]")
    anna.page.keyboard.press("F9")
    caller.wait_noted("was_hung_up")
    anna.wait_agent(state="idle")
    # And back.
    choose_phone(anna, "browser")
    anna.registered()
    second = Caller(bench.office, "79005553007")
    anna.answer()
    anna.hears(CALLER)
    anna.page.keyboard.press("F9")
    second.wait_noted("was_hung_up")


def choose_phone(desk, kind):
    desk.page.click(".phone header > button.quiet")
    desk.page.select_option("dialog select >> nth=0", kind)
    desk.page.wait_for_function("kind => document.querySelector('dialog select').value === kind", arg=kind)
    desk.page.keyboard.press("Escape")
    desk.page.wait_for_selector("dialog", state="detached")
