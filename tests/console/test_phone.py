"""The telephone in the browser: calls of SIPp, answered in Chromium, with the sound measured on both sides."""

import json
import time

from office import wait_for
from phones import Caller
from sound import CALLER, DISPATCHERS, channels, share


def prepare(office):
    office.dispatcher("anna", "Анна Петрова")
    office.dispatcher("boris", "Борис Ким")


def recording_of(office, number, seconds=20):
    """The sound of the last talk of this number, when it has come to the archive."""
    def stored():
        rows = office.chief.get(f"/recordings?number=%2B{number}&limit=1")["items"]
        return rows and rows[0]["state"] == "stored" and rows[0]
    row = wait_for(f"the recording of {number} is in the archive", seconds, stored)
    return channels(office.chief.ask("GET", f"/recordings/{row['id']}/audio"))


def tones_are_in(office, number, dispatcher):
    rate, left, right = recording_of(office, number)
    # The first and last moments belong to the answer and the hang-up.
    cut = slice(rate // 2, -rate // 4)
    caller, agent = share(left[cut], rate, CALLER), share(right[cut], rate, DISPATCHERS[dispatcher])
    assert caller > 0.8 and agent > 0.8, f"shares of the tones: caller {caller:.2f}, dispatcher {agent:.2f}"


def test_a_caller_is_answered_in_the_browser_and_both_hear_each_other(bench):
    anna = bench.desk("anna").log_in()
    caller = Caller(bench.office, "79005550001")
    anna.rings()
    assert "+7 900 555-00-01" in anna.page.inner_text(".card")
    assert anna.page.title().startswith("☎")
    anna.answer()
    anna.hears(CALLER)
    caller.wait_noted("answered")
    anna.has_heard(2.5)
    anna.page.screenshot(path=bench.results / "talk.png")
    anna.page.keyboard.press("F9")
    caller.wait_noted("was_hung_up")
    anna.wait_agent(state="idle")
    tones_are_in(bench.office, "79005550001", "anna")


def test_an_agent_hears_the_own_talks_and_not_those_of_others(bench):
    anna, boris = bench.desk("anna").log_in(), bench.desk("boris").log_in(ready=False)
    caller = Caller(bench.office, "79005550021")
    anna.answer()
    anna.has_heard(1.5)
    anna.page.keyboard.press("F9")
    caller.wait_noted("was_hung_up")
    recording_of(bench.office, "79005550021")
    for desk in (anna, boris):
        desk.page.evaluate("location.hash = '#/recordings'")
        desk.page.fill("input[type=search]", "9005550021")
        desk.page.wait_for_selector("main tr:has-text('555-00-21')" if desk is anna else "main .empty")
    anna.page.click("main tr:has-text('555-00-21') button:has-text('Слушать')")
    wait_for("it is heard", 10, lambda: anna.page.evaluate("document.querySelector('audio').currentTime > 0.3"))
    heard = bench.office.chief.get("/audit?action=recording_listened")["items"]
    assert "anna" in [entry["actor"] for entry in heard] or "anna" in str(heard[0]), heard


def test_two_dispatchers_take_two_calls_and_each_hears_the_own_caller(bench):
    anna, boris = bench.desk("anna").log_in(), bench.desk("boris").log_in()
    first = Caller(bench.office, "79005550002", hertz=440)
    anna_or_boris = [anna, boris]
    ringing = wait_for("somebody rings", 15, lambda: next((d for d in anna_or_boris if d.page.query_selector("[data-stage=offered]")), None))
    ringing.answer()
    other = next(desk for desk in anna_or_boris if desk is not ringing)
    second = Caller(bench.office, "79005550003", hertz=620)
    other.answer()
    ringing.hears(440)
    other.hears(620)
    assert "555-00-03" in other.page.inner_text(".card") and "555-00-02" in ringing.page.inner_text(".card")
    for desk in anna_or_boris:
        desk.page.keyboard.press("F9")
    first.wait_noted("was_hung_up")
    second.wait_noted("was_hung_up")


def test_hold_and_back_mute_and_keys(bench):
    anna = bench.desk("anna").log_in()
    caller = Caller(bench.office, "79005550004")
    anna.answer()
    anna.hears(CALLER)
    anna.page.keyboard.press("F4")
    anna.page.wait_for_selector("[data-stage=held]")
    wait_for("the held caller is not heard", 10, lambda: not silent_of(anna, CALLER))
    anna.page.keyboard.press("F4")
    anna.page.wait_for_selector("[data-stage=talking]")
    anna.hears(CALLER)
    anna.page.keyboard.press("F7")
    anna.page.wait_for_selector(".buttons button[aria-pressed=true]")
    anna.page.keyboard.press("F7")
    anna.page.wait_for_selector(".buttons button[aria-pressed=false]")
    anna.page.keyboard.press("F9")
    caller.wait_noted("was_hung_up")


def silent_of(desk, hertz):
    """None when the tone is gone."""
    try:
        desk.hears_nothing_of(hertz)
        return None
    except AssertionError as still:
        return still


def test_a_caller_is_put_through_to_a_colleague_after_asking(bench):
    anna, boris = bench.desk("anna").log_in(), bench.desk("boris").log_in()
    bench.office.chief.post(f"/agents/{bench.office.agents['boris']}/state", {"status": "pause", "reason": "break"})
    caller = Caller(bench.office, "79005550005")
    anna.answer()
    boris.ready()
    anna.button("Перевести").click()
    anna.page.select_option("dialog select", label="Борис Ким")
    anna.button("Сначала спросить").click()
    boris.answer_offer_of_colleague()
    anna.hears(DISPATCHERS["boris"])
    boris.hears(DISPATCHERS["anna"])
    anna.button("Соединить").click()
    boris.hears(CALLER)
    anna.wait_agent(state="idle")
    boris.page.keyboard.press("F9")
    caller.wait_noted("was_hung_up")


def test_a_caller_is_sent_on_at_once(bench):
    anna, boris = bench.desk("anna").log_in(), bench.desk("boris").log_in()
    bench.office.chief.post(f"/agents/{bench.office.agents['boris']}/state", {"status": "pause", "reason": "break"})
    caller = Caller(bench.office, "79005550006")
    anna.answer()
    boris.ready()
    anna.button("Перевести").click()
    anna.page.select_option("dialog select", label="Борис Ким")
    anna.button("Перевести сразу").click()
    boris.answer()
    boris.hears(CALLER)
    boris.page.keyboard.press("F9")
    caller.wait_noted("was_hung_up")


def test_a_reload_in_a_call_brings_the_caller_back_by_itself(bench):
    anna = bench.desk("anna").log_in()
    caller = Caller(bench.office, "79005550007")
    anna.answer()
    anna.hears(CALLER)
    began = time.monotonic()
    anna.page.reload()
    anna.page.wait_for_selector(".phone[data-stage=talking]", timeout=15_000)
    anna.hears(CALLER)
    print(f"     reload in a call: heard again after {time.monotonic() - began:.2f} s, page and all")
    assert not caller.noted("was_hung_up")
    assert "555-00-07" in anna.page.inner_text(".card")
    anna.page.keyboard.press("F9")
    caller.wait_noted("was_hung_up")


def test_a_reload_while_it_rings_loses_nothing(bench):
    anna = bench.desk("anna").log_in()
    caller = Caller(bench.office, "79005550008")
    anna.rings()
    anna.page.reload()
    anna.answer()
    anna.hears(CALLER)
    anna.page.keyboard.press("F9")
    caller.wait_noted("was_hung_up")


def test_a_lost_connection_leaves_the_talk_alone_and_heals(bench):
    anna = bench.desk("anna").log_in()
    caller = Caller(bench.office, "79005550009")
    anna.answer()
    anna.hears(CALLER)
    anna.page.fill("input[name=comment]", "у второго подъезда")
    anna.context.set_offline(True)
    anna.page.evaluate("window.dispatchEvent(new Event('offline'))")
    anna.page.wait_for_selector(".strip.bad", timeout=15_000)
    anna.hears(CALLER)
    anna.context.set_offline(False)
    anna.page.wait_for_selector("[data-phone=ready]", timeout=20_000)
    wait_for("the strip is gone", 15, lambda: not anna.page.query_selector(".strip.bad"))
    assert anna.page.input_value("input[name=comment]") == "у второго подъезда"
    anna.hears(CALLER)
    # Asterisk knows the new way: its end of the call arrives.
    bench.office.chief.post(f"/calls/{bench.office.live()[0]['id']}/hangup")
    wait_for("the page knows of the end", 10, lambda: not anna.page.query_selector("[data-stage=talking]"))
    caller.wait_noted("was_hung_up")


def test_a_killed_browser_does_not_take_the_caller_with_it(bench):
    boris, anna = bench.desk("boris").log_in(ready=False), bench.desk("anna").log_in()
    bench.office.chief.post(f"/agents/{bench.office.agents['boris']}/state", {"status": "pause", "reason": "break"})
    caller = Caller(bench.office, "79005550011")
    anna.answer()
    anna.hears(CALLER)
    boris.registered()
    boris.ready()
    killed = time.monotonic()
    anna.kill()
    boris.answer_within(40)
    print(f"     browser killed: another dispatcher talks after {time.monotonic() - killed:.1f} s")
    boris.hears(CALLER)
    boris.page.keyboard.press("F9")
    caller.wait_noted("was_hung_up")


def test_of_two_tabs_one_is_the_phone_and_the_other_can_take_it(bench):
    anna = bench.desk("anna").log_in()
    second = anna.context.new_page()
    second.goto(bench.office.base)
    second.wait_for_selector("[data-phone=elsewhere]")
    second.get_by_role("button", name="Перенести сюда").click()
    second.wait_for_selector("[data-phone=ready]", timeout=15_000)
    anna.page.wait_for_selector("[data-phone=elsewhere]")
    anna.page, first = second, anna.page
    first.close()
    caller = Caller(bench.office, "79005550012")
    anna.answer()
    anna.hears(CALLER)
    anna.page.keyboard.press("F9")
    caller.wait_noted("was_hung_up")


def test_an_answer_by_itself_after_a_beep(bench):
    anna = bench.desk("anna", settings={"auto_answer": True}).log_in()
    caller = Caller(bench.office, "79005550013", hang_up_ms=3000)
    anna.page.wait_for_selector(".phone[data-stage=talking]", timeout=15_000)
    anna.hears(CALLER)
    caller.wait_noted("hung_up")


def test_without_a_microphone_the_page_says_so_and_takes_no_calls(bench):
    anna = bench.desk("anna", microphone=False).log_in(ready=False)
    anna.page.wait_for_selector(".phone .strip.bad")
    assert anna.page.get_attribute(".phone[data-phone]", "data-phone") != "ready"


def test_by_https_with_a_certificate_of_its_own_it_is_the_same(bench):
    anna = bench.desk("anna", https=True).log_in()
    assert anna.page.url.startswith("https://")
    caller = Caller(bench.office, "79005550014")
    anna.answer()
    anna.hears(CALLER)
    anna.page.keyboard.press("F9")
    caller.wait_noted("was_hung_up")


def test_the_card_is_painted_with_the_offer(bench):
    """Fifty calls: from the offer's arrival in the page to the card on the screen."""
    anna = bench.desk("anna").log_in()
    numbers = [f"790055511{at:02}" for at in range(50)]
    for number in numbers:
        caller = Caller(bench.office, number)
        anna.rings()
        anna.page.keyboard.press("F2")
        anna.page.wait_for_selector(".phone[data-stage=talking]")
        anna.page.keyboard.press("F9")
        caller.wait_noted("was_hung_up")
        anna.wait_agent(state="idle")
    times = anna.page.evaluate("performance.getEntriesByName('card').map(entry => entry.duration)")
    # One measure for each offer: a card may be painted again, the first time counts.
    times = sorted(times)
    median, p95 = times[len(times) // 2], times[int(len(times) * 0.95)]
    print(f"     card pop: {len(times)} cards, median {median:.1f} ms, p95 {p95:.1f} ms, longest {times[-1]:.1f} ms")
    (bench.results / "card-pop.json").write_text(json.dumps({"calls": len(times), "median_ms": median, "p95_ms": p95}))
    # What is measured is for deploy/test to print; a busy machine is not a fault.
    assert len(times) >= 50 and median <= 100 and p95 <= 300, (len(times), median, p95)
