"""The list of clients to be called back: it shows what changes without being asked to."""


def prepare(office):
    office.dispatcher("anna", "Анна Петрова")


def test_the_list_of_callbacks_shows_by_itself_what_changes(bench):
    page = bench.desk("anna").log_in(ready=False).page
    page.evaluate("location.hash = '#/callbacks'")
    page.wait_for_selector("main .empty")
    wanted = bench.office.chief.post("/callbacks", {"number": "+79005550123", "words": "Ваш заказ готов"})
    page.wait_for_selector("main td:has-text('Ваш заказ готов')", timeout=5000)
    bench.office.chief.post(f"/callbacks/{wanted['id']}/cancel")
    page.wait_for_selector("main .empty", timeout=5000)
