"""The journal of contacts: visits entered by hand, calls that enter by themselves, and who is told of what."""

from office import wait_for
from phones import Caller

SALON = "Автосалон. Покупка автомобиля"


def prepare(office):
    office.command("demo-data", "--clients", "20")
    office.dispatcher("anna", "Анна Петрова")
    office.dispatcher("boris", "Борис Ким")
    office.user("reception", "supervisor")
    office.purposes = {}
    people = [{"kind": "agent", "id": office.agents[login]} for login in ("anna", "boris")]
    for section, name, queue, specialists in (("Автосалон", "Покупка автомобиля", "", people), ("Сервис", "Ремонт", "main", [])):
        greeting = "Сервис слушает." if queue else ""
        body = {"section": section, "name": name, "name_en": "", "queue": queue, "specialists": specialists, "greeting": greeting}
        office.purposes[name] = office.chief.post("/purposes", body)["id"]


def notices(desk, count):
    desk.page.wait_for_selector(f".bell [data-notices='{count}']", timeout=5000)


def at(desk, name):
    wait_for(f"the cursor is in {name}", 5, lambda: desk.page.evaluate("document.activeElement.name") == name)


def journal(office, query=""):
    return office.chief.get(f"/journal{query}")["items"]


def test_a_visit_by_hand_is_told_to_two_specialists_until_one_takes_it(bench):
    desk = bench.desk("reception").log_in()
    anna, boris = bench.desk("anna").log_in(ready=False), bench.desk("boris").log_in(ready=False)
    for one in (anna, boris):
        notices(one, 0)
    # By keyboard alone, from wherever one is.
    keys = desk.page.keyboard
    keys.press("F8")
    at(desk, "phone")
    keys.press("Tab")
    at(desk, "description")
    keys.type("Мужчина в сером пальто")
    keys.press("Tab")
    at(desk, "purpose")
    desk.page.wait_for_selector(f"dialog select[name=purpose] option:has-text('{SALON}')", state="attached")
    keys.press("ArrowDown")
    keys.press("Tab")
    at(desk, "comment")
    keys.type("хочет посмотреть новую Весту")
    keys.press("Enter")
    desk.page.wait_for_selector("dialog", state="detached")
    for one in (anna, boris):
        notices(one, 1)
    contact = journal(bench.office, "?state=waiting")[0]
    assert (contact["kind"], contact["purpose_title"], contact["comment"]) == ("visit", SALON, "хочет посмотреть новую Весту"), contact
    # On the board it reminds of itself until somebody takes it.
    waits = f".waiting li[data-contact='{contact['id']}']"
    desk.page.wait_for_selector(waits)
    anna.page.click(".bell > button")
    anna.page.wait_for_selector(".notices li:has-text('Мужчина в сером пальто')")
    anna.page.click(".notices li button")
    anna.page.wait_for_selector("h1 .contact-in_work")
    notices(boris, 0)
    notices(anna, 0)
    desk.page.wait_for_selector(waits, state="detached")
    taken = bench.office.chief.get(f"/journal/{contact['id']}")
    assert (taken["state"], taken["responsible"]["name"]) == ("in_work", "Анна Петрова"), taken
    # A document, and the end.
    anna.button("Привязать документ").click()
    anna.page.select_option("dialog select[name=document]", "work_order")
    anna.page.fill("dialog input[name=number]", "ЗН-42")
    anna.page.press("dialog input[name=number]", "Enter")
    anna.page.wait_for_selector(".documents li:has-text('ЗН-42')")
    anna.button("Завершить").first.click()
    anna.page.fill("dialog textarea[name=comment]", "договорились о пробной поездке")
    anna.page.click("dialog button[type=submit]")
    anna.page.wait_for_selector("h1 .contact-done")
    anna.page.wait_for_selector(".timeline:has-text('договорились о пробной поездке')")
    found = journal(bench.office, "?document=%D0%97%D0%9D-42")
    assert [one["id"] for one in found] == [contact["id"]], found


def test_a_call_enters_by_itself_with_the_purpose_of_its_queue(bench):
    anna = bench.desk("anna").log_in()
    caller = Caller(bench.office, "79005552001")
    # What it is about, and how to greet, shows with the ring.
    anna.rings()
    anna.page.wait_for_selector(".card:has-text('Сервис. Ремонт'):has-text('Сервис слушает.')")
    anna.answer()
    anna.page.wait_for_selector(".card .contact-in_work")
    assert anna.page.eval_on_selector(".card select[name=purpose]", "one => one.selectedOptions[0].textContent") == "Сервис. Ремонт"
    # It turns out to be about something else.
    anna.page.select_option(".card select[name=purpose]", label=SALON)
    anna.page.keyboard.press("F9")
    caller.wait_noted("was_hung_up")
    contact = wait_for("the contact of the call is done", 10, lambda: next(
        (one for one in journal(bench.office, "?phone=%2B79005552001") if one["state"] == "done"), None))
    assert (contact["kind"], contact["purpose_title"], contact["responsible"]["name"]) == ("call_in", SALON, "Анна Петрова"), contact
    # And stands in the list, in the card of the call and in the client's line of time.
    anna.page.evaluate("location.hash = '#/journal'")
    anna.page.select_option("select[name=state]", "done")
    anna.page.fill("input[name=q]", "9005552001")
    anna.page.click("main table button.link")
    anna.page.wait_for_selector(f"[data-contact='{contact['id']}'] .timeline li")
    anna.button("Звонок").click()
    anna.page.wait_for_selector("dialog .facts")
    anna.page.keyboard.press("Escape")
    anna.page.evaluate(f"location.hash = '#/clients/{contact['client']}'")
    anna.page.wait_for_selector(f".timeline a[href='#/journal/{contact['id']}']")


def test_a_contact_is_handed_on_with_the_call_and_without(bench):
    anna, boris = bench.desk("anna").log_in(), bench.desk("boris").log_in()
    bench.office.chief.post(f"/agents/{bench.office.agents['boris']}/state", {"status": "pause", "reason": "break"})
    caller = Caller(bench.office, "79005552002")
    anna.answer()
    anna.page.wait_for_selector(".card .contact-in_work")
    boris.ready()
    anna.button("Перевести").click()
    anna.page.select_option("dialog select", label="Борис Ким")
    anna.button("Перевести сразу").click()
    boris.answer()
    contact = journal(bench.office, "?phone=%2B79005552002")[0]
    passed = wait_for("the contact is Boris's", 5, lambda: next(
        (one for one in [bench.office.chief.get(f"/journal/{contact['id']}")] if one["responsible"]["name"] == "Борис Ким"), None))
    history = bench.office.chief.get(f"/journal/{passed['id']}/history")["items"]
    assert any(line["event"] == "transferred" and line["with_call"] for line in history), history
    boris.page.keyboard.press("F9")
    caller.wait_noted("was_hung_up")
    # Without a call: what is done may still be somebody else's to do.
    boris.page.evaluate(f"location.hash = '#/journal/{contact['id']}'")
    # What was handed on is his to end, not the call's.
    boris.button("Передать").click()
    boris.page.select_option("dialog select[name=responsible]", label="Анна Петрова")
    boris.page.fill("dialog textarea[name=comment]", "перезвонить завтра")
    boris.page.click("dialog button[type=submit]")
    notices(anna, 1)


def test_a_contact_is_ignored_with_a_reason_and_what_is_typed_outlives_a_reload(bench):
    anna = bench.desk("anna").log_in(ready=False)
    anna.page.keyboard.press("F8")
    anna.page.fill("dialog input[name=description]", "Курьер")
    anna.page.reload()
    anna.page.wait_for_selector("dialog input[name=description]")
    assert anna.page.input_value("dialog input[name=description]") == "Курьер"
    anna.page.press("dialog input[name=description]", "Enter")
    row = "main tr:has-text('Курьер')"
    anna.page.wait_for_selector(row)
    anna.page.click(f"{row} button.link")
    anna.button("Без внимания").click()
    anna.page.select_option("dialog select[name=reason]", "other")
    # «Other» must say what.
    anna.page.click("dialog button[type=submit]")
    assert anna.page.query_selector("dialog")
    anna.page.fill("dialog textarea[name=comment]", "принёс воду")
    anna.page.click("dialog button[type=submit]")
    anna.page.wait_for_selector("h1 .contact-ignored")
    ignored = journal(bench.office, "?state=ignored")[0]
    assert (ignored["ignored"], ignored["outcome"]) == ("other", "принёс воду"), ignored


def test_a_reload_of_the_desk_finds_its_notices_and_a_notice_is_shown_on_the_desktop(bench):
    boris = bench.desk("boris", settings={"notifications": True}).log_in(ready=False)
    boris.away()
    made = bench.office.chief.post("/journal", {"kind": "visit", "waiting": True, "description": "Семья с ребёнком", "purpose": bench.office.purposes["Покупка автомобиля"]})
    notices(boris, 1)
    shown = wait_for("the desktop shows it", 5, lambda: boris.shown_on_desktop())
    assert "Семья с ребёнком" in shown[0]["body"], shown
    boris.page.reload()
    notices(boris, 1)
    bench.office.chief.post(f"/journal/{made['id']}/ignore", {"reason": "left"})
    notices(boris, 0)


def test_an_administrator_describes_purposes(bench):
    chief = bench.desk("chief").log_in()
    chief.page.evaluate("location.hash = '#/purposes'")
    chief.button("Новая цель").click()
    chief.page.fill("dialog input[name=section]", "Сервис")
    chief.page.fill("dialog input[name=name]", "Шиномонтаж")
    chief.page.fill("dialog input[name=name_en]", "Tyres")
    chief.page.check("dialog input[name=specialists][value^='agent:']:first-of-type >> nth=0")
    chief.page.fill("dialog textarea[name=greeting]", "Вас приветствует шиномонтаж.")
    chief.page.click("dialog button[type=submit]")
    row = "main tr:has-text('Сервис. Шиномонтаж')"
    chief.page.wait_for_selector(row)
    made = next(one for one in bench.office.chief.get("/purposes")["items"] if one["value"]["name"] == "Шиномонтаж")
    assert len(made["value"]["specialists"]) == 1 and made["value"]["greeting"].startswith("Вас"), made
    # It is used no more, and comes back.
    for retired in (True, False):
        chief.page.click(f"{row} button.link")
        chief.page.click("dialog input[name=active]")
        chief.page.click("dialog button[type=submit]")
        wait_for("it is written", 5, lambda: next(one for one in bench.office.chief.get("/purposes")["items"] if one["id"] == made["id"])["retired"] is retired)
        chief.page.wait_for_selector("dialog", state="detached")
    chief.page.click("button[lang=en]")
    chief.page.wait_for_selector("main tr:has-text('Tyres')")
