"""What a server may answer, rightly or wrongly: the behaviours of ``mirrors.py``, by name."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .mirrors import Request

BEHAVIOURS: dict[str, Callable[[Any], None]] = {}


def behaviour(*names: str) -> Callable[[Callable], Callable]:
    """Put the decorated function of a request into the table; it is told its name if it has several."""

    def put(answer: Callable) -> Callable:
        for name in names:
            BEHAVIOURS[name] = answer if len(names) == 1 else lambda request, name=name: answer(request, name)
        return answer

    return put


# ------------------------------------------------- those that give the file in the end


@behaviour("good")
def _good(request: Request) -> None:
    request.wfile.write(request.begin())


@behaviour("unsized")
def _unsized(request: Request) -> None:
    request.answer()
    request.wfile.write(request.body)


@behaviour("chunked", "chunked cut")
def _chunked(request: Request, name: str) -> None:
    request.protocol_version = "HTTP/1.1"
    request.answer(Transfer_Encoding="chunked", Connection="close")
    for piece in pieces(request.body)[: 3 if name == "chunked cut" else None]:
        request.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
    if name == "chunked":
        request.wfile.write(b"0\r\n\r\n")


@behaviour("slow")
def _slow(request: Request) -> None:
    for piece in pieces(request.begin()):
        request.wfile.write(piece)
        request.wfile.flush()
        request.mirrors.over.wait(0.01)


@behaviour("gzip label")
def _gzip_label(request: Request) -> None:
    request.wfile.write(request.begin(Content_Encoding="gzip"))  # of a .gz file as it is, as some servers do


@behaviour("trailing")
def _trailing(request: Request) -> None:
    request.wfile.write(request.begin() + bytes(1000))  # more than it said


@behaviour("redirect")
def _redirect(request: Request) -> None:
    request.answer(302, Location="/good/file.gz")


@behaviour("redirect with an endless body")
def _endless_redirect(request: Request) -> None:
    request.answer(302, Location="/good/file.gz")
    while not request.mirrors.over.is_set():
        request.wfile.write(bytes(1 << 16))


HONEST = (
    *("good", "unsized", "chunked", "slow", "gzip label", "trailing"),
    *("redirect", "redirect with an endless body"),
)


# ------------------------------------------------------- those that break off: ask again


@behaviour("cut", "reset", "stall")
def _breaks_off(request: Request, name: str) -> None:
    body = request.begin()
    request.wfile.write(body[: len(body) // 2])
    request.wfile.flush()
    if name == "stall":
        request.mirrors.over.wait(30)
    if name == "reset":
        request.reset()


@behaviour("unsized cut")
def _unsized_cut(request: Request) -> None:
    request.answer()
    request.wfile.write(request.body[: len(request.body) // 2])


@behaviour("crawl")
def _crawl(request: Request) -> None:
    for byte in request.begin():
        request.wfile.write(bytes([byte]))
        if request.mirrors.over.wait(0.01):
            break


@behaviour("silent")
def _silent(request: Request) -> None:
    request.mirrors.over.wait(30)


@behaviour("hang up")
def _hang_up(request: Request) -> None:
    request.reset()


@behaviour("longer")
def _longer(request: Request) -> None:
    request.answer(Content_Length=len(request.body) + 1000)
    request.wfile.write(request.body)


# ------------------------------------------------------------ those that have it not


@behaviour("shorter")
def _shorter(request: Request) -> None:
    request.answer(Content_Length=len(request.body) - 1000)
    request.wfile.write(request.body)


@behaviour("wrong", "flipped", "backwards", "empty", "another file")
def _wrong(request: Request, name: str) -> None:
    body = bytearray(request.body)
    body[len(body) // 2] ^= 1
    found = {
        "wrong": bytes(len(body)),
        "flipped": bytes(body),
        "backwards": request.body[::-1],
        "empty": b"",
        "another file": b"<html>no</html>",
    }[name]
    request.answer(Content_Length=len(found))
    request.wfile.write(found)


@behaviour("gzip")
def _recoded(request: Request) -> None:
    body = gzip.compress(request.body)
    request.answer(Content_Length=len(body), Content_Encoding="gzip")
    request.wfile.write(body)


@behaviour("unasked part")
def _unasked_part(request: Request) -> None:
    """A part of the file, though no range was asked for."""
    whole = len(request.body)
    request.answer(206, Content_Length=whole - 7, Content_Range=f"bytes 7-{whole - 1}/{whole}")
    request.wfile.write(request.body[7:])


@behaviour("endless", "endless, sized")
def _endless(request: Request, name: str) -> None:
    request.answer(**({"Content_Length": 10**15} if name == "endless, sized" else {}))
    while not request.mirrors.over.is_set():
        request.wfile.write(bytes(1 << 16))


@behaviour("400", "403", "404", "408", "410", "416", "429", "500", "502", "503", "204", "299")
def _status(request: Request, name: str) -> None:
    request.answer(int(name), Retry_After=0, Content_Length=0)


LATER = {
    "429, a while": 7,
    "429, come in an hour": 3600,
    "503, come tomorrow": "Wed, 21 Oct 2076 07:28:00 GMT",
}


@behaviour(*LATER)
def _later(request: Request, name: str) -> None:
    request.answer(int(name[:3]), Retry_After=LATER[name])


ELSEWHERE = {
    "redirect to itself": "",
    "redirect to a file": "file:///etc/hostname",
    "redirect to ftp": "ftp://127.0.0.1:9/file.gz",
    "redirect to data": "data:application/gzip;base64,AAAA",
    "redirect to a broken address": "http://[127.0.0.1/file.gz",
    "redirect to a port too high": "http://127.0.0.1:99999/file.gz",
    "redirect to no port": "http://127.0.0.1:port/file.gz",
    "redirect to nobody": "http://127.0.0.1:9/file.gz",
}


@behaviour(*ELSEWHERE)
def _elsewhere(request: Request, name: str) -> None:
    request.answer(302, Location=ELSEWHERE[name] or request.path)


@behaviour("redirect without an address")
def _nowhere(request: Request) -> None:
    request.answer(302)


GARBAGE = {
    "no HTTP": b"\x00\x01\x1b[31mgarbage\n\n",
    "a line without end": b"HTTP/1.0 200 " + b"O" * 100_000,
    "headers without end": b"HTTP/1.0 200 OK\r\n" + b"X-A: b\r\n" * 10_000,
    "no number as length": b"HTTP/1.0 200 OK\r\nContent-Length: many\r\n\r\nabc",
    "a negative length": b"HTTP/1.0 200 OK\r\nContent-Length: -7\r\n\r\nabc",
    "chunks of no size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n",
}


@behaviour(*GARBAGE)
def _garbage(request: Request, name: str) -> None:
    request.wfile.write(GARBAGE[name])


def pieces(body: bytes, count: int = 8) -> list[bytes]:
    """The body in about ``count`` pieces."""
    size = max(1, -(-len(body) // count))
    return [body[i : i + size] for i in range(0, len(body), size)]
