"""A network between a browser and the office, in which the connection of the phone can die."""

import socket
import threading


class Line:
    """Hands connections on to the office. Those that begin with a request for `/ws` carry the phone."""

    def __init__(self, office):
        self.office, self.port = office, office.ports.one()
        self.base = f"http://localhost:{self.port}"
        self.lock, self.phones = threading.Lock(), []
        self.server = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                browser, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(browser,), daemon=True).start()

    def _carry(self, browser):
        first = browser.recv(65536)
        office = socket.create_connection(("127.0.0.1", self.office.web))
        pair = {"browser": browser, "office": office, "dead": False}
        if first.startswith(b"GET /ws "):
            with self.lock:
                self.phones.append(pair)
        office.sendall(first)
        threading.Thread(target=self._pump, args=(pair, "office", "browser"), daemon=True).start()
        self._pump(pair, "browser", "office")

    @staticmethod
    def _pump(pair, source, target):
        try:
            while data := pair[source].recv(65536):
                if not pair["dead"]:
                    pair[target].sendall(data)
        except OSError:
            pass
        # A dead one says nothing, not even that it ends.
        if not pair["dead"]:
            for end in (source, target):
                pair[end].close()

    def freeze(self):
        """What carries the phone now goes nowhere any more, and neither side is told."""
        with self.lock:
            for pair in self.phones:
                pair["dead"] = True
            return len(self.phones)

    def cut(self):
        """What carries the phone now is torn down at both ends."""
        with self.lock:
            for pair in self.phones:
                for end in ("browser", "office"):
                    try:
                        pair[end].shutdown(socket.SHUT_RDWR)
                    except OSError:
                        pass
            self.phones.clear()
