"""transfer: the whole body, or why not."""

from __future__ import annotations

import pytest

from minivae.datasets import transfer as module
from minivae.datasets.transfer import Passing, Refused, transfer

from ..doubles.answers import BEHAVIOURS, HONEST
from ..doubles.mirrors import Mirrors

BODY = bytes(range(256)) * 40


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(module, "TIMEOUT", 0.2)
    monkeypatch.setattr(module, "LIMIT", 1 << 20)


def get(tmp_path, *plan):
    """What :func:`transfer` wrote."""
    with Mirrors(BODY, [plan]) as mirrors:
        transfer(mirrors.urls[0], tmp_path / "file", "file")
    return (tmp_path / "file").read_bytes()


@pytest.mark.parametrize("kind", HONEST)
def test_an_honest_answer(tmp_path, kind):
    assert get(tmp_path, kind) == BODY


def test_a_file_is_not_unpacked_on_the_way(tmp_path):
    assert get(tmp_path, "gzip")[:2] == b"\x1f\x8b"


FAULTS = {
    "403": (Refused, "^HTTP status 403$"),
    "404": (Refused, "^HTTP status 404$"),
    "410": (Refused, "^HTTP status 410$"),
    "408": (Passing, "^HTTP status 408$"),
    "429": (Passing, "^HTTP status 429$"),
    "500": (Passing, "^HTTP status 500$"),
    "503": (Passing, "^HTTP status 503$"),
    "503, come tomorrow": (Passing, "^HTTP status 503$"),
    "429, come in an hour": (Refused, "HTTP status 429, to be asked again after 3600 seconds"),
    "cut": (Passing, "5120 bytes read, 5120 more expected"),
    "reset": (Passing, "reset by peer"),
    "stall": (Passing, "timed out"),
    "longer": (Passing, "10240 bytes read, 1000 more expected"),
    "endless": (Refused, "longer than 1048576 bytes"),
    "endless, sized": (Refused, "longer than 1048576 bytes"),
    "silent": (Passing, "timed out"),
    "hang up": (Passing, "."),
    "chunked cut": (Passing, "ended prematurely"),
    "redirect to nobody": (Passing, "refused"),
    "redirect to itself": (Refused, "30 redirects"),
    "redirect to a file": (Refused, "No connection adapters .* 'file:"),
    "redirect to ftp": (Refused, "No connection adapters .* 'ftp:"),
    "redirect to data": (Refused, "No connection adapters .* 'data:"),
    "no number as length": (Refused, "'many'"),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_what_does_not_come_is_refused_or_may_come_later(tmp_path, kind):
    error, words = FAULTS[kind]
    with pytest.raises(error, match=words):
        get(tmp_path, kind)


def test_what_crawls_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "SLOWEST", 1 << 20)
    with pytest.raises(Passing, match="less than 1048576 bytes a second"):
        get(tmp_path, "crawl")


def test_a_disk_that_is_full_is_not_the_servers_fault(tmp_path):
    with Mirrors(BODY, [["good"]]) as mirrors, pytest.raises(OSError, match="No such file"):
        transfer(mirrors.urls[0], tmp_path / "none" / "file", "file")
    assert mirrors.asked == []


def test_a_disk_that_becomes_full_is_not_the_servers_fault(tmp_path):
    full = tmp_path / "full"
    full.symlink_to("/dev/full")
    with Mirrors(BODY, [["good"]]) as mirrors, pytest.raises(OSError, match="No space left"):
        transfer(mirrors.urls[0], full, "file")


def test_whatever_is_answered_is_written_or_one_printable_line(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "SLOWEST", 1 << 20)
    lines = {}
    for kind in BEHAVIOURS:
        try:
            get(tmp_path, kind)
        except (Passing, Refused) as error:
            lines[kind] = str(error)
    assert lines.keys() >= {"no HTTP", "redirect to a broken address", "redirect to a port too high", "404"}
    assert all(line.isprintable() and 0 < len(line) <= 250 for line in lines.values())


def test_the_bar_ends_at_the_length_of_the_file(tmp_path, monkeypatch):
    shown = []
    monkeypatch.setattr(module, "progress_bar", lambda disable, **options: shown.append(_Bar()) or shown[0])
    get(tmp_path, "good")
    assert (shown[0].n, shown[0].total) == (len(BODY), len(BODY))


class _Bar:
    """What pooch and the transfer ask of a bar."""

    n, total = 0, 1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def update(self, n):
        self.n += n

    def reset(self):
        self.n = 0

    def close(self):
        pass
