"""A recording in the player: heard, sought in, quicker, marked, read along, shared by a link that ends, and closed to whom
it is not for."""

import json

from office import wait_for
from phones import Caller
from test_views import is_in_order

NUMBER = "79005550031"


def prepare(office):
    office.dispatcher("anna", "Анна Петрова")
    office.dispatcher("boris", "Борис Ким")
    office.user("head", "supervisor")


def talk(bench):
    """One talk of both tones, once for all tests of the file."""
    if not getattr(bench.office, "talked", False):
        talk_of(bench, NUMBER)
        bench.office.talked = True


def talk_of(bench, number):
    """A talk of five seconds of this caller with Anna, in the archive."""
    anna = bench.desk("anna").log_in()
    caller = Caller(bench.office, number)
    anna.answer()
    anna.has_heard(5)
    anna.page.keyboard.press("F9")
    caller.wait_noted("was_hung_up")
    wait_for("it is in the archive", 20, lambda: row(bench, number)["state"] == "stored")
    anna.close()
    bench.desks.remove(anna)


def row(bench, number=NUMBER):
    return bench.office.chief.get(f"/recordings?number={number}&limit=1")["items"][0]


def opened(bench, login="head", number=NUMBER, **options):
    talk(bench)
    desk = bench.desk(login, **options).log_in(ready=False)
    desk.page.evaluate("location.hash = '#/recordings'")
    desk.page.fill("input[name=number]", number[1:])
    desk.page.click(f"main tr:has-text('{number[-7:-4]}-{number[-4:-2]}-{number[-2:]}') button:has-text('Слушать')")
    # It plays by itself.
    wait_for("it plays", 10, lambda: at(desk.page) > 0.05)
    return desk


def at(page):
    return page.evaluate("document.querySelector('.player audio').currentTime")


def test_a_talk_is_played_sought_in_quicker_and_one_side_alone(bench):
    page = opened(bench).page
    wait_for("it plays", 10, lambda: at(page) > 0.3)
    page.click(".player .play")
    wait_for("it pauses", 5, lambda: page.evaluate("document.querySelector('.player audio').paused"))
    length = page.evaluate("document.querySelector('.player audio').duration")
    assert length > 4, length
    wave = page.locator(".player .wave")
    box = wave.bounding_box()
    wave.click(position={"x": box["width"] / 2, "y": 20})
    wait_for("a click seeks", 5, lambda: abs(at(page) - length / 2) < 0.3)
    wave.focus()
    page.keyboard.press("Home")
    wait_for("Home goes to the beginning", 5, lambda: at(page) < 0.1)
    page.keyboard.press("End")
    wait_for("End goes to the end", 5, lambda: abs(at(page) - length) < 0.1)
    page.keyboard.press("ArrowLeft")
    wait_for("an arrow goes five seconds back", 5, lambda: abs(at(page) - max(0, length - 5)) < 0.2)
    now = int(wave.get_attribute("aria-valuenow"))
    assert now <= int(wave.get_attribute("aria-valuemax")) and " из " in wave.get_attribute("aria-valuetext")
    # The picture has both voices: something above the middle, something below.
    ink = page.evaluate("""() => {
      const canvas = document.querySelector('.player canvas');
      const pen = canvas.getContext('2d');
      const seen = (top, high) => pen.getImageData(0, top, canvas.width, high).data.filter((value, at) => at % 4 === 3 && value > 60).length;
      const half = Math.floor(canvas.height / 2);
      return [seen(4, half - 8), seen(half + 4, half - 8)];
    }""")
    assert min(ink) > 500, ink
    page.select_option("select[name=speed]", "2")
    page.keyboard.press("Escape")
    wave.focus()
    page.keyboard.press("Home")
    page.keyboard.press("Space")
    began, moved = page.evaluate("performance.now()"), at(page)
    wait_for("it plays twice as quick", 10, lambda: at(page) - moved > 1.5)
    spent = (page.evaluate("performance.now()") - began) / 1000
    assert (at(page) - moved) / spent > 1.4, f"{at(page) - moved} s of sound in {spent} s"
    for side in ("left", "right", "swapped", "both"):
        page.select_option("select[name=sides]", side)
    wait_for("it plays on through the mixer", 10, lambda: page.evaluate("document.querySelector('.player audio').ended") or at(page) > length - 0.5)
    for theme in ("light", "dark"):
        page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
        page.screenshot(path=bench.results / f"player-{theme}.png")
        is_in_order(page, f"the player ({theme})")


def test_silence_is_skipped_and_what_was_not_recorded_is_told(bench):
    talk(bench)
    head = bench.desk("head").log_in(ready=False)
    page = head.page
    # As if nobody had spoken from the second to the fourth second, and the recording had been paused for a while.
    quiet = [0 if 200 <= at < 800 else 50 for at in range(1000)]
    picture = {"duration_ms": 5000, "left": quiet, "right": quiet}
    page.route("**/recordings/*/peaks", lambda route: route.fulfill(json=picture))
    one = {**row(bench), "pauses": [{"from_ms": 1500, "to_ms": 3500}]}
    page.route(f"**/recordings/{one['id']}", lambda route: route.fulfill(json=one))
    page.evaluate("location.hash = '#/recordings'")
    page.fill("input[name=number]", "9005550031")
    page.click("main tr:has-text('555-00-31') button:has-text('Слушать')")
    page.wait_for_selector(".player .wave[aria-valuetext*='без записи']")
    page.check("input[name=skip]")
    wait_for("it plays", 10, lambda: at(page) > 0.1)
    page.focus(".player .wave")
    page.keyboard.press("Home")
    page.evaluate("""() => {
      const sound = document.querySelector('.player audio');
      window.heard = [];
      setInterval(() => sound.paused || window.heard.push(sound.currentTime), 20);
      sound.play();
    }""")
    wait_for("it plays behind the silence", 10, lambda: at(page) > 4)
    inside = page.evaluate("window.heard.filter((at) => at > 1.6 && at < 3.4).length")
    assert inside == 0, f"{inside} looks found it in the silence"
    page.screenshot(path=bench.results / "player-paused.png")


def test_a_moment_is_marked_found_edited_and_removed(bench):
    page = opened(bench).page
    page.click(".player .play")
    page.click(".listening button:has-text('Отметить')")
    page.select_option("dialog select[name=kind]", "complaint")
    page.fill("dialog textarea[name=text]", "Просит перезвонить")
    page.click("dialog button.main")
    page.wait_for_selector(".marks li:has-text('Просит перезвонить')")
    assert bench.office.chief.get("/recordings?mark=complaint")["items"][0]["id"] == row(bench)["id"]
    page.select_option("select[name=mark]", "good")
    page.wait_for_selector("main .empty")
    page.select_option("select[name=mark]", "complaint")
    page.click("main tr:has-text('555-00-31') button:has-text('Слушать')")
    page.click(".marks button:has-text('Изменить')")
    page.fill("dialog textarea[name=text]", "Перезвонили")
    page.click("dialog button.main")
    page.wait_for_selector(".marks li:has-text('Перезвонили')")
    page.click(".marks button[aria-label^='Удалить отметку']")
    page.wait_for_selector(".marks", state="detached")


def test_what_was_said_is_found_and_a_click_on_a_word_seeks(bench):
    talk(bench)
    known = lambda: bench.office.chief.get("/recordings?text=anna")["items"]
    wait_for("the recogniser has read it", 40, known)
    page = opened(bench).page
    page.wait_for_selector(".said .word:has-text('anna')")
    page.click(".player .play")
    last = page.locator(".said .word").last
    last.click()
    wait_for("the word is where the sound is", 5, lambda: page.locator(".said .word.now").count() > 0 and at(page) > 2)
    page.screenshot(path=bench.results / "player-said.png")


def test_a_link_plays_without_a_log_in_until_it_is_taken_back(bench):
    head = opened(bench)
    page = head.page
    page.click(".player .play")
    page.click(".listening button:has-text('Ссылка на запись')")
    page.fill("dialog input[name=reason]", "для юриста")
    page.click("dialog button:has-text('Создать ссылку')")
    link = page.wait_for_selector("dialog input[name=link]").input_value()
    assert "/shared/" in link, link
    is_in_order(page, "the dialog of links")
    # Somebody who was never logged in.
    stranger = head.browser.new_context(locale="ru-RU").new_page()
    faults = []
    stranger.on("pageerror", lambda error: faults.append(str(error)))
    stranger.goto(link)
    stranger.click(".player .play")
    wait_for("the stranger hears it", 10, lambda: at(stranger) > 0.3)
    assert not stranger.query_selector("nav") and "555-00-31" not in stranger.inner_text("body")
    is_in_order(stranger, "the page of a link")
    stranger.screenshot(path=bench.results / "shared.png")
    page.click("dialog .marks button:has-text('Отозвать')")
    page.wait_for_selector("dialog .marks:has-text('не действует')")
    answer = stranger.goto(link)
    assert answer.status == 404, answer.status
    stranger.wait_for_selector(".trouble:has-text('больше не действует')")
    is_in_order(stranger, "the page of a link that ended")
    assert stranger.request.get(f"{link}/audio").status == 404
    assert not faults, faults
    stranger.context.close()
    opened_by = [entry["actor"] for entry in bench.office.chief.get("/audit?action=recording_share_opened")["items"]]
    assert len(opened_by) == 1 and opened_by[0].startswith("link "), opened_by


def test_it_is_refused_to_the_wrong_role_and_taking_it_away_is_a_right_of_its_own(bench):
    talk(bench)
    id = row(bench)["id"]
    status = lambda desk, part: desk.page.evaluate(f"fetch('/api/v1/recordings/{id}{part}').then(answer => answer.status)")
    boris = bench.desk("boris").log_in(ready=False)
    for part in ("", "/audio", "/peaks", "/marks", "/transcript", "/download"):
        assert status(boris, part) == 404, part
    anna = opened(bench, "anna")
    assert status(anna, "/audio") == 200 and status(anna, "/download") == 403
    assert not anna.page.query_selector(".listening a[download]") and not anna.page.query_selector("button:has-text('Ссылка на запись')")
    head = opened(bench)
    head.page.wait_for_selector(".listening a[download]")
    with head.page.expect_download() as taken:
        head.page.click(".listening a[download]")
    assert taken.value.suggested_filename.startswith(f"recording-{id}-"), taken.value.suggested_filename
    client = bench.office.chief.get(f"/clients?number=%2B{NUMBER}")["items"][0]["id"]
    head.page.evaluate(f"location.hash = '#/clients/{client}'")
    head.page.click(".heard summary")
    head.page.wait_for_selector(".heard li:has-text('скачал')")
    told = json.dumps(bench.office.chief.get(f"/clients/{client}/hearings"), ensure_ascii=False)
    assert "anna" in told and "head" in told, told


def test_a_recording_is_held_against_deletion_and_a_client_wishes_for_a_shorter_time(bench):
    page = opened(bench).page
    page.click(".player .play")
    page.click(".listening button:has-text('Удержание записи')")
    page.fill("dialog input[name=reason]", "Жалоба № 12")
    page.click("dialog button:has-text('Удержать')")
    page.wait_for_selector("dialog .held:has-text('Жалоба № 12')")
    is_in_order(page, "the dialog of a hold")
    path = f"/recordings/{row(bench)['id']}/hold"
    assert bench.office.chief.get(path)["by"] == "head"
    page.click("dialog button:has-text('Снять удержание')")
    page.wait_for_selector("dialog .held", state="detached")
    page.keyboard.press("Escape")
    client = bench.office.chief.get(f"/clients?number=%2B{NUMBER}")["items"][0]["id"]
    page.evaluate(f"location.hash = '#/clients/{client}'")
    page.click(".kept summary")
    page.fill(".kept input[name=days]", "30")
    page.click(".kept button:has-text('Сохранить')")
    page.wait_for_selector(".kept button:has-text('Убрать пожелание')")
    assert bench.office.chief.get(f"/clients/{client}/recording-days")["days"] == 30
    is_in_order(page, "a client with a wish")
    page.click(".kept button:has-text('Убрать пожелание')")
    page.wait_for_selector(".kept button:has-text('Убрать пожелание')", state="detached")
    assert not page.input_value(".kept input[name=days]")
