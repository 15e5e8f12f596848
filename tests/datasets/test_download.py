import threading
import time
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from minivae.datasets import download
from minivae.datasets.download import fetch
from minivae.errors import InputError

BODY = bytes(range(256)) * 40


class Mirror(BaseHTTPRequestHandler):
    """Answers by path: /good, /missing, /short, /wrong, /slow, /busy (well at the third call)."""

    asked: list[str]
    release: threading.Event

    def do_GET(self):
        self.asked.append(self.path)
        kind = self.path.split("/")[1]
        if kind == "slow":
            self.release.wait(30)  # until the test is over
            return
        if kind == "missing" or (kind == "busy" and self.asked.count(self.path) < 3):
            self.send_error(404 if kind == "missing" else 503)
            return
        body = bytes(len(BODY)) if kind == "wrong" else BODY
        self.send_response(200)
        if kind != "unsized":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:5000] if kind == "short" else body)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def mirror(monkeypatch):
    """The address of a server on this machine; its class keeps the list of paths asked for."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(download, "PAUSE", 0.01)
    monkeypatch.setattr(Mirror, "asked", [], raising=False)
    monkeypatch.setattr(Mirror, "release", threading.Event(), raising=False)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    Mirror.release.set()
    server.shutdown()
    thread.join()
    server.server_close()


def verify(path):
    if sha256(path.read_bytes()).digest() != sha256(BODY).digest():
        raise InputError(f"{path} has the wrong checksum")


def get(mirror, tmp_path, *kinds):
    fetch([f"{mirror}/{kind}/file.gz" for kind in kinds], tmp_path / "cache" / "file.gz", verify)


def content(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("kind", ["good", "unsized"])
def test_a_good_mirror(mirror, tmp_path, kind):
    get(mirror, tmp_path, kind)
    assert content(tmp_path) == {"file.gz": BODY}


@pytest.mark.parametrize("bad", ["missing", "short", "wrong"])
def test_the_next_mirror_is_asked(mirror, tmp_path, bad):
    get(mirror, tmp_path, bad, "good")
    assert content(tmp_path) == {"file.gz": BODY}
    assert Mirror.asked == [f"/{bad}/file.gz", "/good/file.gz"]


def test_a_mirror_that_stalls_is_given_up(mirror, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT", 0.2)
    get(mirror, tmp_path, "slow", "good")
    assert content(tmp_path) == {"file.gz": BODY}


def test_a_busy_server_is_asked_again_after_growing_pauses(mirror, tmp_path, monkeypatch):
    pauses = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    get(mirror, tmp_path, "busy")
    assert content(tmp_path) == {"file.gz": BODY}
    assert pauses == [0.01, 0.02]


@pytest.mark.parametrize(
    ("bad", "calls", "reason"),
    [
        ("missing", 1, "HTTP status 404"),
        ("wrong", 1, "its file has the wrong checksum"),
        ("short", 3, "cut after 5000 of 10240 bytes"),
    ],
)
def test_what_is_wrong_is_refused_and_leaves_nothing(mirror, tmp_path, bad, calls, reason):
    with pytest.raises(InputError, match=reason) as error:
        get(mirror, tmp_path, bad)
    assert str(error.value).startswith("cannot download file.gz (127.0.0.1:")
    assert len(Mirror.asked) == calls
    assert content(tmp_path) == {}


def test_a_body_without_end_is_cut(mirror, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "LIMIT", 1000)
    with pytest.raises(InputError, match="longer than 1000 bytes"):
        get(mirror, tmp_path, "unsized")
    assert content(tmp_path) == {}


def test_a_failed_download_keeps_the_old_file(mirror, tmp_path):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "file.gz").write_bytes(b"old")
    with pytest.raises(InputError):
        get(mirror, tmp_path, "wrong")
    assert content(tmp_path) == {"file.gz": b"old"}


def test_no_server_at_all(tmp_path, monkeypatch):
    monkeypatch.setattr(download, "PAUSE", 0.0)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with pytest.raises(InputError, match=r"cannot download file\.gz \(127\.0\.0\.1:9: .*refused"):
        fetch(["http://127.0.0.1:9/file.gz"], tmp_path / "file.gz", verify)


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "cache").write_bytes(b"a file in the way")
    with pytest.raises(InputError, match="cannot make the folder"):
        fetch(["http://127.0.0.1:9/file.gz"], tmp_path / "cache" / "file.gz", verify)
