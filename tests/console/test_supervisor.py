"""The supervisor: hears talks as they go on, grades them, and plays what is kept sealed and compressed."""

from office import wait_for
from phones import Caller
from sound import CALLER, DISPATCHERS
from test_listening import at, opened, row, talk, talk_of
from test_views import is_in_order

ANNA, HEAD = DISPATCHERS["anna"], DISPATCHERS["head"]


def prepare(office):
    office.dispatcher("anna", "Анна Петрова")
    office.dispatcher("head", "Вера Павловна", role="supervisor")


def test_a_talk_is_heard_whispered_into_joined_and_taken_over_from_the_wallboard(bench):
    anna, head = bench.desk("anna").log_in(), bench.desk("head").log_in(ready=False)
    head.registered()
    caller = Caller(bench.office, "79005550041")
    anna.answer()
    anna.hears(CALLER)
    head.page.evaluate("location.hash = '#/wallboard'")
    press = lambda text: head.page.click(f"main tr:has-text('555-00-41') .live button:has-text('{text}')")
    shows = lambda mode: head.page.wait_for_selector(f".live [data-monitor={mode}]:has-text('Вера Павловна')")
    # The page lifts the phone by itself: one press is enough.
    press("Слушать")
    shows("listen")
    head.hears_all([CALLER, ANNA])
    anna.hears_all([CALLER], absent=[HEAD])
    is_in_order(head.page, "the wallboard with somebody who listens")
    head.page.screenshot(path=bench.results / "wallboard-listening.png")
    press("Подсказать")
    shows("whisper")
    anna.hears_all([CALLER, HEAD])
    press("Вступить")
    shows("join")
    anna.hears_all([CALLER, HEAD])
    press("Закончить")
    head.page.wait_for_selector(".live [data-monitor]", state="detached")
    anna.hears_all([CALLER], absent=[HEAD])
    anna.wait_agent(state="talking")

    press("Слушать")
    head.hears_all([CALLER, ANNA])
    press("Забрать")
    wait_for("the supervisor has the caller", 10, lambda: bench.office.live()[0]["agents"] == [bench.office.agents["head"]])
    head.hears_all([CALLER], absent=[ANNA])
    anna.wait_agent(state="idle")
    caller.hang_up()
    modes = [entry["detail"]["mode"] for entry in bench.office.chief.get("/audit?action=call_monitor_asked")["items"]]
    assert modes == ["take_over", "listen", "join", "whisper", "listen"], modes


def test_the_phone_is_lifted_by_itself_though_it_rings_before_the_page_is_told_why(bench):
    anna, head = bench.desk("anna").log_in(), bench.desk("head")
    stream = Stream(head.page)
    head.log_in(ready=False)
    head.registered()
    caller = Caller(bench.office, "79005550045")
    anna.answer()
    head.page.evaluate("location.hash = '#/wallboard'")
    listen = head.page.wait_for_selector("main tr:has-text('555-00-45') .live button:has-text('Слушать')")
    stream.hold()
    listen.click()
    wait_for("the supervisor's phone rings", 10, lambda: head.page.evaluate("window.tones().length > 0"))
    stream.release()
    head.hears_all([CALLER, ANNA])
    caller.hang_up()


class Stream:
    """What the engine tells the page as it happens, held up on its way."""

    def __init__(self, page):
        self.late, self.held, self.side = [], False, None
        page.route_web_socket("**/api/v1/stream", self.opened)

    def opened(self, side):
        self.side = side
        side.connect_to_server().on_message(lambda message: self.late.append(message) if self.held else side.send(message))

    def hold(self):
        self.held = True

    def release(self):
        self.held = False
        while self.late:
            self.side.send(self.late.pop(0))


def test_a_form_is_made_a_talk_is_graded_by_it_and_the_agent_reads_the_grade(bench):
    talk(bench)
    page = bench.desk("head").log_in(ready=False).page
    page.evaluate("location.hash = '#/quality'")
    page.click("button:has-text('Новая форма')")
    page.fill("dialog input[name=name]", "Вежливость")
    field = lambda label, within="dialog": page.locator(f"{within} label.field:has(span:text-is('{label}'))")
    field("Заголовок").locator("input").fill("Начало")
    field("Вопрос").locator("input").fill("Поздоровался")
    page.click("dialog button:has-text('+ Вопрос')")
    second = page.locator("dialog .question").nth(1)
    second.locator("label.field:has(span:text-is('Вопрос')) input").fill("Понял с первого раза")
    second.locator("label.field:has(span:text-is('Ответ')) select").select_option("4")
    second.locator("label.field:has(span:text-is('Вес')) input").fill("3")
    is_in_order(page, "the editor of forms")
    page.screenshot(path=bench.results / "quality-form.png")
    page.click("dialog button:has-text('Сохранить')")
    page.wait_for_selector("main tr:has-text('Вежливость')")

    page.evaluate("location.hash = '#/recordings'")
    page.fill("input[name=number]", "9005550031")
    page.click("main tr:has-text('555-00-31') button:has-text('Слушать')")
    page.click("button:has-text('★ Оценка')")
    page.wait_for_selector("dialog .grading")
    choose = lambda question, value: page.locator(f"dialog .grading label.field:has(span:text-is('{question}')) select").select_option(value)
    choose("Поздоровался", "1")
    choose("Понял с первого раза", "2")
    # (1·1/1 + 3·2/4) / (1 + 3)
    page.wait_for_selector("dialog .grading footer:has-text('63 %')")
    page.fill("dialog .grading textarea", "Переспросил адрес")
    is_in_order(page, "a talk that is graded")
    page.screenshot(path=bench.results / "quality-grade.png")
    page.click("dialog button:has-text('Поставить оценку')")
    page.wait_for_selector("dialog details.grade:has-text('63 %')")
    page.keyboard.press("Escape")
    page.evaluate("location.hash = '#/quality'")
    page.wait_for_selector("main tr:has-text('Анна Петрова'):has-text('62,5 %')")

    anna = bench.desk("anna").log_in(ready=False).page
    anna.evaluate("location.hash = '#/quality'")
    anna.click("details.grade summary:has-text('Вежливость')")
    anna.wait_for_selector("details.grade:has-text('Переспросил адрес')")
    anna.wait_for_selector("details.grade li:has-text('2 / 4')")
    assert not anna.query_selector("button:has-text('Новая форма')")


def plays(bench, number, ending, begins):
    """A talk kept so, sealed: played, sought in, one side alone, quicker, and taken away as a WAV."""
    office = bench.office
    talk_of(bench, number)
    kept = [path.read_bytes()[:8] for path in (office.dir / "recordings").rglob(f"*.{ending}.k*")]
    assert kept == [b"PZSEAL01"], kept
    sound = office.chief.ask("GET", f"/recordings/{row(bench, number)['id']}/audio")
    assert sound[:4] == begins, sound[:8]
    page = opened(bench, number=number).page
    length = page.evaluate("document.querySelector('.player audio').duration")
    assert abs(length * 1000 - row(bench, number)["file"]["duration_ms"]) < 100, length
    box = page.locator(".player .wave").bounding_box()
    page.locator(".player .wave").click(position={"x": box["width"] * 0.7, "y": 20})
    wait_for("a click seeks", 5, lambda: abs(at(page) - length * 0.7) < 0.4)
    page.select_option("select[name=speed]", "2")
    page.select_option("select[name=sides]", "left")
    wait_for("it plays on to the end", 10, lambda: page.evaluate("document.querySelector('.player audio').ended") or at(page) > length - 0.3)
    with page.expect_download() as taken:
        page.click(".listening a[download]")
    assert taken.value.suggested_filename.endswith(".wav"), taken.value.suggested_filename


def test_what_is_kept_sealed_and_compressed_is_played_and_sought_in(bench):
    office = bench.office
    (office.dir / "keys").write_text("0c" * 32)
    office.reconfigure("[recording]\n", f'[recording]\nformat = "flac"\nkey_file = "{office.dir}/keys"\n')
    plays(bench, "79005550042", "flac", b"fLaC")
    office.reconfigure('format = "flac"', 'format = "opus"')
    plays(bench, "79005550043", "opus", b"OggS")
