"""Settings of the office in the console: set, refused at the field, kept while typed, gone back on; streets; reports."""

import sqlite3
import time

from test_views import is_in_order


def prepare(office):
    office.command("demo-data", "--clients", "10")
    office.user("head", "supervisor")


def go(desk, name):
    page = desk.page
    page.evaluate(f"location.hash = '#/{name}'")
    page.wait_for_selector(f"nav a[aria-current][href='#/{name}']")
    desk.is_drawn()


def save(page):
    page.click("form.section header button.main")


def field(page, label, within="main"):
    return page.locator(within).get_by_label(label, exact=True)


def section(bench, name):
    return bench.office.chief.get(f"/settings/{name}")


def test_a_queue_is_added_a_number_leads_to_it_and_a_menu_too(bench):
    desk = bench.desk("chief").log_in()
    page = desk.page
    go(desk, "queues")
    for name in ("main", "service"):
        page.get_by_role("button", name="Добавить очередь").click()
        field(page, "Имя").last.fill(name)
    field(page, "Звонит у диспетчера, с").first.fill("7")
    # What is typed outlives a reload.
    page.reload()
    page.wait_for_selector("form.section fieldset")
    assert field(page, "Имя").last.input_value() == "service"
    save(page)
    page.wait_for_selector(".message.good")
    said = section(bench, "queues")
    assert [one["name"] for one in said["value"]["list"]] == ["main", "service"], said
    assert said["value"]["list"][0]["ring_seconds"] == 7 and said["from"] == "console"

    go(desk, "numbers")
    page.get_by_role("button", name="Добавить номер").click()
    field(page, "Номер, как его присылает оператор").fill("74950000002")
    field(page, "Очередь").select_option("service")
    save(page)
    page.wait_for_selector(".message.good:has-text('Сохранено')")
    page.wait_for_selector("text=Задано здесь: chief")
    assert section(bench, "numbers")["value"]["routes"] == {"74950000002": "service"}

    go(desk, "menus")
    page.get_by_role("button", name="Добавить меню").click()
    field(page, "Имя").fill("first")
    field(page, "Что слышит звонящий").fill("Сервис: нажмите один.")
    page.get_by_role("button", name="Добавить клавишу").click()
    page.locator("main select").filter(has_text="service").first.select_option("service")
    field(page, "Первое меню").select_option("first")
    is_in_order(page, "a menu being made")
    page.screenshot(path=bench.results / "menu-one-light.png", full_page=True)
    save(page)
    page.wait_for_selector("text=Задано здесь: chief")
    menus = section(bench, "menus")["value"]
    assert menus["start"] == "first" and menus["list"][0]["keys"] == {"1": "queue service"}, menus
    assert menus["list"][0]["otherwise"] == "queue main", menus


def test_what_is_wrong_is_told_at_its_field_and_what_somebody_else_set_is_not_overwritten(bench):
    desk = bench.desk("chief").log_in()
    page = desk.page
    go(desk, "office")
    hours = page.get_by_label("Когда открыто, по строке")
    hours.fill("daily 08:00-20:00\nfoo 10:00-12:00")
    save(page)
    page.wait_for_selector("[aria-invalid=true]")
    assert "дни: mon" in page.inner_text("small.wrong"), page.inner_text("small.wrong")
    assert hours.input_value().endswith("foo 10:00-12:00")
    is_in_order(page, "a wrong field")
    page.screenshot(path=bench.results / "settings-wrong-light.png")
    answer = page.evaluate("""fetch('/api/v1/settings/office', { method: 'PUT', headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ value: { greeting: false } }) }).then((answer) => answer.status)""")
    assert answer == 200
    hours.fill("daily 08:00-20:00")
    save(page)
    page.get_by_role("button", name="Показать нынешнее").click()
    page.wait_for_selector("text=Задано здесь: chief")
    assert section(bench, "office")["value"]["greeting"] is False
    page.get_by_role("button", name="Вернуть как в файле").click()
    page.locator("header button.bad").click()
    page.wait_for_selector("text=Из файла настроек")
    assert section(bench, "office")["from"] == "file"


def test_streets_are_found_taken_in_and_removed(bench):
    desk = bench.desk("chief").log_in()
    page = desk.page
    go(desk, "streets")
    page.get_by_role("button", name="Загрузить список").click()
    page.get_by_label("Или вставьте сюда").fill("ул. Проверочная\nпр-т Испытателей")
    page.get_by_role("button", name="Проверить").click()
    page.wait_for_selector("dialog >> text=разных улиц: 2")
    is_in_order(page, "taking in streets")
    page.screenshot(path=bench.results / "streets-import-light.png")
    page.locator("dialog button.main").click()
    page.wait_for_selector("dialog >> text=Добавлено: 2")
    page.locator("dialog footer button.quiet").click()
    page.get_by_label("Найти").fill("проверочн")
    page.wait_for_selector("td:has-text('Проверочная улица')")
    page.get_by_label("Убрать: Проверочная улица").click()
    page.get_by_role("button", name="Точно убрать").click()
    page.wait_for_selector("main .empty")


def week(office):
    """Calls of a week, written where the journal writes them: most are answered, some soon, some late, some never."""
    rows, now = [], int(time.time() * 1000)
    for number in range(300):
        at = now - (number * 7919 % (6 * 86400)) * 1000 - 60_000
        waited = number * 37 % 60 * 1000
        kind = ("ABANDON", None, 0) if number % 9 == 0 else ("COMPLETECALLER", at + waited, 45_000 + number * 300)
        queue = ("main", "service")[number % 3 == 0]
        rows.append((number + 1, at, queue, at, kind[1], at + waited + kind[2], kind[0], waited, kind[2]))
    with sqlite3.connect(office.dir / "perezvon.db", timeout=20) as database:
        database.executemany("INSERT INTO calls (id, arrived_at, queue, queued_at, bridged_at, ended_at, disposition, waited_ms,"
                             " talked_ms, outgoing, number, number_rev) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, '', '')", rows)
    database.close()


def test_a_report_is_a_picture_and_a_table_and_a_file(bench):
    week(bench.office)
    desk = bench.desk("head").log_in(ready=False)
    page = desk.page
    go(desk, "reports")
    for name in ("hours", "queues", "agents", "purposes", "days"):
        page.locator("main select").first.select_option(name)
        desk.is_drawn()
        assert not page.query_selector("main .trouble"), name
        is_in_order(page, f"report by {name}")
        if name in ("hours", "days"):
            assert page.locator("svg rect").count() >= 10
            for theme in ("light", "dark"):
                page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
                page.screenshot(path=bench.results / f"reports-{name}-{theme}.png")
    with page.expect_download() as file:
        page.get_by_role("link", name="Скачать CSV").click()
    with open(file.value.path(), encoding="utf-8") as table:
        text = table.read()
    assert text.startswith("key,calls,queued,answered"), text[:80]
    assert text.splitlines()[-1].startswith(",300,"), text
