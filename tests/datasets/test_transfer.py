"""transfer: the whole body, a cut one gone on with, or why not."""

from __future__ import annotations

import pytest

from minivae.datasets import transfer as module
from minivae.datasets.transfer import Passing, Refused, transfer

from ..doubles.answers import BEHAVIOURS
from ..doubles.mirrors import Mirrors

BODY = bytes(range(256)) * 40
HALF = "bytes=5120-"


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(module, "TIMEOUT", 0.2)
    monkeypatch.setattr(module, "LIMIT", 1 << 20)


def get(tmp_path, *plan):
    """(what :func:`transfer` returns, what it wrote, the ranges asked for)."""
    with Mirrors(BODY, [plan]) as mirrors:
        in_one_piece = transfer(mirrors.urls[0], tmp_path / "file", "file")
    return in_one_piece, (tmp_path / "file").read_bytes(), [asked for _, _, asked in mirrors.asked]


@pytest.mark.parametrize("kind", ["good", "no ranges", "chunked", "slow", "gzip label", "trailing"])
def test_an_honest_answer(tmp_path, kind):
    assert get(tmp_path, kind) == (True, BODY, [None])


def test_a_redirection_is_followed(tmp_path):
    assert get(tmp_path, "redirect") == (True, BODY, [None])


def test_without_a_length_nobody_knows_whether_it_is_whole(tmp_path):
    assert get(tmp_path, "unsized") == (False, BODY, [None])
    assert get(tmp_path, "unsized cut") == (False, BODY[:5120], [None])


@pytest.mark.parametrize("kind", ["cut", "reset", "stall"])
def test_a_cut_answer_is_gone_on_with(tmp_path, kind):
    assert get(tmp_path, kind, "good") == (False, BODY, [None, HALF])


def test_a_cut_rest_is_gone_on_with_too(tmp_path):
    ranges = [None, HALF, "bytes=7680-", "bytes=8960-"]
    assert get(tmp_path, "cut", "cut", "cut", "good") == (False, BODY, ranges)


def test_a_server_that_always_cuts_is_left_alone_after_some_resumes(tmp_path):
    with Mirrors(BODY, [["cut"]]) as mirrors, pytest.raises(Passing, match="cut after 9920 of 10240 bytes"):
        transfer(mirrors.urls[0], tmp_path / "file", "file")
    assert len(mirrors.asked) == 1 + module.RESUMES


@pytest.mark.parametrize("kind", ["no ranges", "chunked", "redirect"])
def test_a_server_without_ranges_begins_anew(tmp_path, kind):
    assert get(tmp_path, "cut", kind)[1] == BODY


def test_only_the_same_version_is_gone_on_with(tmp_path):
    assert get(tmp_path, "cut", "another version") == (False, BODY[::-1], [None, HALF])


@pytest.mark.parametrize("kind", ["rest of another file", "unasked part", "204", "299"])
def test_another_part_than_was_asked_for_is_not_taken(tmp_path, kind):
    with pytest.raises(Passing, match="with another part of the file than was asked for"):
        get(tmp_path, "cut", kind)


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
    "longer": (Passing, "cut after 10240 of 11240 bytes"),
    "endless": (Refused, "longer than 1048576 bytes"),
    "endless, sized": (Refused, "longer than 1048576 bytes"),
    "silent": (Passing, "timed out"),
    "hang up": (Passing, "."),
    "chunked cut": (Passing, "IncompleteRead"),
    "unasked part": (Passing, "HTTP status 206 with another part"),
    "redirect to nobody": (Passing, "refused"),
    "redirect to itself": (Refused, "HTTP status 302, a redirection that leads nowhere"),
    "redirect to a file": (Refused, "HTTP status 302, a redirection that leads nowhere"),
    "redirect to ftp": (Refused, "HTTP status 302, a redirection that leads nowhere"),
    "redirect to data": (Refused, "HTTP status 302, a redirection that leads nowhere"),
    "redirect without an address": (Refused, "HTTP status 302, a redirection that leads nowhere"),
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


def test_whatever_is_answered_is_the_file_or_one_printable_line(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "SLOWEST", 1 << 20)
    lines = {}
    for kind in BEHAVIOURS:
        try:
            get(tmp_path, kind)
        except (Passing, Refused) as error:
            lines[kind] = str(error)
    assert lines.keys() >= {"no HTTP", "redirect to a broken address", "redirect to a port too high", "404"}
    assert all(line.isprintable() and 0 < len(line) <= 250 for line in lines.values())
