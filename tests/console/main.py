"""Runs the tests of the console: `main.py PEREZVON_BINARY [NAME…]`. Ends with a line `N passed, N failed`."""

import importlib
import os
import sys
import time
import traceback
from pathlib import Path

from playwright.sync_api import sync_playwright

from office import REPOSITORY, Office

MODULES = ["test_phone", "test_listening", "test_supervisor", "test_devices", "test_lines", "test_orders", "test_journal", "test_callbacks", "test_views", "test_dialogs", "test_settings", "test_second_factor"]
RESULTS = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target")) / "console"


def tests(chosen):
    for name in MODULES:
        module = importlib.import_module(name)
        for function in vars(module).values():
            if getattr(function, "__module__", "") == name and getattr(function, "__name__", "").startswith("test_"):
                if not chosen or any(word in f"{name}.{function.__name__}" for word in chosen):
                    yield name, function


def main():
    binary, chosen = sys.argv[1], sys.argv[2:]
    RESULTS.mkdir(parents=True, exist_ok=True)
    passed, failed, office, of = 0, [], None, None
    with sync_playwright() as playwright:
        for module, function in tests(chosen):
            # One office for the tests of a file; a new one after a failure.
            if office is None or of != module:
                if office:
                    office.close()
                office, of = Office(binary), module
                importlib.import_module(module).prepare(office)
            began = time.monotonic()
            desks = []
            try:
                function(Bench(playwright, office, desks))
                wrong = [fault for desk in desks for fault in desk.faults if not expected(fault)]
                assert not wrong, f"the page reported errors: {wrong}"
                assert not office.errors(), f"the engine logged errors: {office.errors()}"
                passed += 1
                print(f"ok   {function.__name__} ({time.monotonic() - began:.1f} s)", flush=True)
            except Exception:
                failed.append(function.__name__)
                print(f"FAIL {function.__name__}", flush=True)
                traceback.print_exc()
                for desk in desks:
                    try:
                        desk.page.screenshot(path=RESULTS / f"failed-{function.__name__}-{desk.login}.png")
                        print(f"faults of {desk.login}: {desk.faults}")
                    except Exception:
                        pass
            finally:
                for desk in desks:
                    try:
                        desk.close()
                    except Exception:
                        pass
            if failed and failed[-1] == function.__name__:
                office.close(keep=True)
                office = None
        if office:
            office.close()
    for name in failed:
        print(f"failed: {name}")
    print(f"console: {passed} passed, {len(failed)} failed")
    return 1 if failed else 0


def expected(fault):
    """What a browser reports as an error though it is a part of the test: refused requests and cut connections."""
    return "Failed to load resource" in fault or "WebSocket connection" in fault or "ERR_" in fault


class Bench:
    """What a test is given."""

    def __init__(self, playwright, office, desks):
        self.playwright, self.office, self.desks, self.results = playwright, office, desks, RESULTS

    def desk(self, login, **options):
        from browser import Desk
        desk = Desk(self.playwright, self.office, login, **options)
        self.desks.append(desk)
        return desk


if __name__ == "__main__":
    sys.exit(main())
