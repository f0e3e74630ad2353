"""What a dispatcher hears and sees beside the talk: devices, the ring, the beep, the desktop, a forbidden microphone."""

from office import wait_for
from phones import Caller
from sound import CALLER
from test_phone import tones_are_in


def prepare(office):
    office.dispatcher("anna", "Анна Петрова")


def device(desk, label):
    """Chooses a device in the open dialog: the id of it."""
    return desk.page.evaluate("""async (label) => {
      const all = await navigator.mediaDevices.enumerateDevices();
      return (all.find((one) => one.kind === 'audiooutput' && one.label === label) || {}).deviceId || '';
    }""", label)


def sounded(desk):
    """`[{hertz, sink, running}]` of what the page made to sound since the last time, oldest first."""
    return desk.page.evaluate("(() => { const all = window.tones(); window.sounded = []; return all; })()")


def running(desk, sink, count):
    """So many tones on this device, which plays them: not only asked for."""
    def plays():
        tones = desk.page.evaluate("window.tones()")
        return len(tones) >= count and all(one["sink"] == sink and one["running"] for one in tones)
    wait_for(f"{count} tones on {sink[:8]}", 5, plays)
    return [one["hertz"] for one in sounded(desk)]


def test_devices_are_chosen_tried_and_used(bench):
    anna = bench.desk("anna").log_in()
    headset, speaker = device(anna, "Fake Audio Output 1"), device(anna, "Fake Audio Output 2")
    assert headset and speaker, anna.page.evaluate("navigator.mediaDevices.enumerateDevices().then((all) => all.map((one) => [one.kind, one.label]))")
    anna.page.click(".phone header > button.quiet")
    anna.page.wait_for_selector("dialog select option:has-text('Fake Audio Output 1')", state="attached")
    # The kind of phone, the microphone, the headset, the ring.
    anna.page.select_option("dialog select >> nth=2", headset)
    anna.page.select_option("dialog select >> nth=3", speaker)
    sounded(anna)
    for at, sink in ((0, headset), (1, speaker)):
        anna.page.click(f"dialog button:has-text('Проверить') >> nth={at}")
        assert running(anna, sink, 3) == [523, 659, 784]
    anna.page.keyboard.press("Escape")
    caller = Caller(bench.office, "79005554001")
    anna.rings()
    assert 880 in running(anna, speaker, 4)
    anna.answer()
    anna.hears(CALLER)
    wait_for("the voice is in the headset", 5, lambda: anna.page.evaluate("window.voices.map((one) => one.sinkId)") == [headset])
    anna.page.keyboard.press("F9")
    caller.wait_noted("was_hung_up")


def test_a_microphone_is_changed_between_two_calls(bench):
    anna = bench.desk("anna").log_in()
    anna.page.click(".phone header > button.quiet")
    options = anna.page.eval_on_selector_all("dialog select >> nth=1 >> option", "all => all.map((one) => one.value)")
    anna.page.select_option("dialog select >> nth=1", options[-1])
    anna.page.keyboard.press("Escape")
    caller = Caller(bench.office, "79005554002")
    anna.answer()
    anna.hears(CALLER)
    used = anna.page.evaluate("window.ears.connection.getSenders()[0].track.getSettings().deviceId")
    assert used == options[-1], (used, options)
    anna.page.keyboard.press("F9")
    caller.wait_noted("was_hung_up")


def test_devices_are_changed_in_a_talk_which_goes_on(bench):
    anna = bench.desk("anna").log_in()
    caller = Caller(bench.office, "79005554005")
    anna.answer()
    anna.hears(CALLER)
    anna.page.click(".phone header > button.quiet")
    anna.page.wait_for_selector("dialog select option:has-text('Fake Audio Output 1')", state="attached")
    headset = device(anna, "Fake Audio Output 1")
    options = anna.page.eval_on_selector_all("dialog select >> nth=1 >> option", "all => all.map((one) => one.value)")
    anna.page.select_option("dialog select >> nth=1", options[-1])
    anna.page.select_option("dialog select >> nth=2", headset)
    track = "(() => { const { track } = window.ears.connection.getSenders()[0]; return [track.getSettings().deviceId, track.readyState, track.enabled]; })()"
    wait_for("the other microphone speaks", 5, lambda: anna.page.evaluate(track) == [options[-1], "live", True])
    wait_for("the voice is in the headset", 5, lambda: anna.page.evaluate("window.voices.at(-1).sinkId") == headset)
    anna.page.keyboard.press("Escape")
    anna.has_heard(3)
    anna.hears(CALLER)
    anna.page.keyboard.press("F9")
    caller.wait_noted("was_hung_up")
    tones_are_in(bench.office, "79005554005", "anna")


def test_a_call_is_taken_by_itself_after_a_beep(bench):
    anna = bench.desk("anna", settings={"auto_answer": True}).log_in()
    sounded(anna)
    caller = Caller(bench.office, "79005554003")
    anna.page.wait_for_selector(".phone[data-stage=talking]", timeout=15_000)
    assert 1000 in [one["hertz"] for one in sounded(anna)]
    anna.hears(CALLER)
    anna.page.keyboard.press("F9")
    caller.wait_noted("was_hung_up")


def test_the_desktop_tells_of_a_caller_while_the_page_is_hidden(bench):
    anna = bench.desk("anna", settings={"notifications": True}).log_in()
    anna.away()
    caller = Caller(bench.office, "79005554004")
    anna.rings()
    shown = wait_for("the desktop shows it", 5, anna.shown_on_desktop)
    assert "555-40-04" in shown[0]["body"] and "☎" in anna.page.title(), shown
    anna.answer()
    wait_for("it goes away", 5, lambda: all(one["closed"] for one in anna.page.evaluate("window.onDesktop")))
    anna.page.keyboard.press("F9")
    caller.wait_noted("was_hung_up")


def test_a_forbidden_microphone_is_told_as_that_and_no_call_comes(bench):
    anna = bench.desk("anna", microphone="denied").log_in(ready=False)
    anna.page.wait_for_selector(".phone .strip.bad")
    assert "разрешите" in anna.page.inner_text(".phone .strip.bad")
    assert anna.page.get_attribute(".phone[data-phone]", "data-phone") != "ready"
