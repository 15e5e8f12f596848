"""Mirrors on this machine that do whatever a server may do wrong.

    with Mirrors(BODY, [["503", "cut"], ["good"]]) as mirrors:
        fetch(mirrors.urls, path, verify)

Each mirror follows its plan: one behaviour (a key of ``answers.BEHAVIOURS``) for each request, the
last one from then on.
"""

from __future__ import annotations

import socket
import struct
import sys
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .answers import BEHAVIOURS


class Mirrors:
    """A server of ``body`` with one mirror for each of ``plans``.

    Attributes:
        urls: one for each mirror.
        asked: (mirror, behaviour) of each request, in order.
    """

    def __init__(self, body: bytes, plans: Sequence[Sequence[str]]) -> None:
        self.body, self.plans = body, plans
        self.asked: list[tuple[int, str]] = []
        self.over = threading.Event()  # wakes those that stall
        self._lock = threading.Lock()

    def __enter__(self) -> Mirrors:
        self._server = _Server(("127.0.0.1", 0), Request)
        self._server.mirrors = self
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self.urls = [f"{self.address}/{number}/file.gz" for number in range(len(self.plans))]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def next_behaviour(self, mirror: int) -> str:
        """What this request to a mirror meets."""
        with self._lock:
            plan = self.plans[mirror]
            turn = sum(number == mirror for number, _ in self.asked)
            name = plan[min(turn, len(plan) - 1)]
            self.asked.append((mirror, name))
            return name


class _Server(ThreadingHTTPServer):
    mirrors: Mirrors

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is no error here; anything else is shown."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(*_)


class Request(BaseHTTPRequestHandler):
    """One request. The behaviours use its methods."""

    def do_GET(self) -> None:
        self.mirrors: Mirrors = self.server.mirrors
        self.body = self.mirrors.body
        place = self.path.split("/")[1]
        name = self.mirrors.next_behaviour(int(place)) if place.isdigit() else place
        BEHAVIOURS[name](self)

    def log_message(self, *_: object) -> None:
        pass

    def answer(self, status: int = 200, **headers: object) -> None:
        """Send the status line and headers (``Content_Length=5``)."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def begin(self, **headers: object) -> bytes:
        """Send the headers of an honest answer; the bytes that are due."""
        self.answer(Content_Length=len(self.body), **headers)
        return self.body

    def reset(self) -> None:
        """End the connection as a crash would."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
