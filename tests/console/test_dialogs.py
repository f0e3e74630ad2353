"""Every dialog, opened once, in light and dark: in order by axe-core, closed by Escape."""

from office import wait_for
from phones import Caller
from test_views import is_in_order, prepare  # noqa: F401  The same office.

#: Where it is, what is pressed (by the text of the button), and whose it is. `{client}`, `{order}` … are filled in.
AGENT = [
    ("desk", "⚙"), ("desk", "Перевести"), ("desk", "Жалоба"),
    ("orders/{searching}", "Назначить"), ("orders/{searching}", "Отменить"), ("orders/{assigned}", "Время подачи"),
    ("orders/{in_trip}", "Завершить"),
    ("clients", "Новый клиент"), ("clients/{client}", "Изменить карточку"), ("clients/{client}", "Жалоба"),
    ("clients/{client}", "Пополнить счёт"), ("clients/{client}", "Начислить бонусы"), ("clients/{client}", "Заблокировать"),
    ("callbacks", "Новое сообщение"), ("sms", "Написать"),
    ("journal/new", None), ("journal/{contact}", "Завершить"), ("journal/{contact}", "Передать"),
    ("journal/{contact}", "Без внимания"), ("journal/{contact}", "Изменить"), ("journal/{contact}", "Привязать документ"),
]
SUPERVISOR = [("clients/{client}", "Объединить"), ("blocked", "Заблокировать номер")]
ADMINISTRATOR = [
    ("agents", "Новый диспетчер"), ("users", "Новый пользователь"), ("purposes", "Новая цель"), ("tariffs", "Новый тариф"),
    ("keys", "Новый ключ"), ("webhooks", "Новый вебхук"), ("streets", "Добавить улицу"), ("streets", "Загрузить"),
]


def known(office):
    """Numbers of what the dialogs are about."""
    found = {"contact": office.contact}
    ways = {"searching": [], "assigned": ["assign"], "in_trip": ["assign", "arrive", "start"]}
    for at, (state, steps) in enumerate(ways.items()):
        made = office.chief.post("/orders", {"phone": f"7900999881{at}", "from": {"street": "Лесная", "house": "3"}})
        for step in steps:
            body = {"car": {"callsign": "7"}, "driver": {}, "eta_minutes": 5} if step == "assign" else None
            office.chief.post(f"/orders/{made['id']}/{step}", body)
        found[state] = made["id"]
    found["client"] = next(one["id"] for one in office.chief.get("/clients?limit=50")["items"] if not one["blocked"])
    return found


def look_into(bench, desk, dialogs):
    numbers, page = known(bench.office), desk.page
    for theme in ("light", "dark"):
        page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
        for place, button in dialogs:
            page.evaluate(f"location.hash = '#/{place.format(**numbers)}'")
            desk.is_drawn() if button else None
            if button == "⚙":
                page.click(".phone header > button.quiet")
            elif button:
                page.locator("main button", has_text=button).first.click()
            page.wait_for_selector("dialog[open]")
            name = f"{place} {button or ''}"
            assert page.get_attribute("dialog[open]", "aria-label"), name
            is_in_order(page, f"{name} ({theme})")
            if theme == "dark":
                page.screenshot(path=bench.results / f"dialog-{place.split('/')[0]}-{dialogs.index((place, button))}.png")
            page.keyboard.press("Escape")
            wait_for(f"{name} is closed by Escape", 5, lambda: not page.query_selector("dialog[open]"))


def test_the_dialogs_of_dispatchers(bench):
    anna = bench.desk("anna").log_in()
    caller = Caller(bench.office, "79009998822")
    anna.answer()
    anna.page.wait_for_selector(".card footer button")
    look_into(bench, anna, AGENT)
    anna.page.click(".bell > button")
    anna.page.wait_for_selector(".notices li")
    for theme in ("light", "dark"):
        anna.page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
        is_in_order(anna.page, f"the notices ({theme})")
        anna.page.screenshot(path=bench.results / f"notices-{theme}.png")
    caller.hang_up()


def test_the_dialogs_of_supervisors_and_administrators(bench):
    look_into(bench, bench.desk("head").log_in(), SUPERVISOR)
    chief = bench.desk("chief").log_in()
    look_into(bench, chief, ADMINISTRATOR)
    # What is described already is changed in the same forms.
    for place in ("agents", "users", "purposes", "tariffs"):
        chief.page.evaluate(f"location.hash = '#/{place}'")
        chief.is_drawn()
        chief.page.click("main table button.link >> nth=0")
        chief.page.wait_for_selector("dialog[open]")
        is_in_order(chief.page, f"{place}, changed")
        chief.page.keyboard.press("Escape")
        chief.page.wait_for_selector("dialog", state="detached")
