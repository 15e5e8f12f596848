"""fetch: the right file whole under its name, or one line and nothing."""

from __future__ import annotations

import multiprocessing
import threading
import time
from hashlib import sha256

import pytest

from minivae.datasets import download, transfer
from minivae.datasets.download import fetch
from minivae.errors import InputError
from minivae.files import file_lock

from ..doubles.mirrors import Mirrors

BODY = bytes(range(256)) * 40


def verify(path):
    if sha256(path.read_bytes()).digest() != sha256(BODY).digest():
        raise InputError(f"{path} has the wrong checksum")


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(download, "PAUSE", 0.01)


def get(tmp_path, *plans):
    """Fetch from one mirror for each plan; the behaviours that were met."""
    with Mirrors(BODY, plans) as mirrors:
        try:
            fetch(mirrors.urls, tmp_path / "cache" / "file.gz", verify)
        finally:
            get.asked = mirrors.asked
    return [behaviour for _, behaviour in mirrors.asked]


def content(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_good_mirror(tmp_path):
    assert get(tmp_path, ["good"], ["good"]) == ["good"]
    assert content(tmp_path) == {"file.gz": BODY}


@pytest.mark.parametrize("bad", ["404", "longer", "wrong", "shorter", "unsized cut", "backwards"])
def test_the_next_mirror_is_asked(tmp_path, bad):
    assert set(get(tmp_path, [bad], ["good"])) == {bad, "good"}
    assert content(tmp_path) == {"file.gz": BODY}


def test_a_mirror_that_stalls_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(transfer, "TIMEOUT", 0.2)
    assert get(tmp_path, ["silent"], ["good"]) == ["silent", "good"]
    assert content(tmp_path) == {"file.gz": BODY}


def test_a_busy_server_is_asked_again_after_growing_pauses(tmp_path, monkeypatch):
    pauses = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    assert get(tmp_path, ["503", "503", "good"]) == ["503", "503", "good"]
    assert content(tmp_path) == {"file.gz": BODY}
    assert pauses == [0.0, 0.01, 0.02]


def test_a_server_is_left_alone_as_long_as_it_asks(tmp_path, monkeypatch):
    pauses = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    get(tmp_path, ["429, a while", "503", "good"])
    assert pauses == [0.0, 7.0, 0.02]


def test_a_server_that_asks_for_an_hour_is_given_up(tmp_path):
    assert get(tmp_path, ["429, come in an hour"], ["503", "good"]) == ["429, come in an hour", "503", "good"]


@pytest.mark.parametrize(
    ("bad", "calls", "reason"),
    [
        ("404", 1, "HTTP status 404"),
        ("wrong", 1, "its file has the wrong checksum"),
        ("cut", 3, "5120 more expected"),
    ],
)
def test_what_is_wrong_is_refused_and_leaves_nothing(tmp_path, bad, calls, reason):
    with pytest.raises(InputError, match=reason) as error:
        get(tmp_path, [bad])
    assert str(error.value).startswith("cannot download file.gz (127.0.0.1:")
    assert len(get.asked) == calls
    assert content(tmp_path) == {}


def test_what_is_there_is_not_asked_for(tmp_path):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "file.gz").write_bytes(b"old")
    assert get(tmp_path, ["good"]) == []
    assert content(tmp_path) == {"file.gz": b"old"}


def test_what_a_killed_download_left_is_removed(tmp_path):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / ".file.part-0123abcd.gz").write_bytes(BODY[:100])
    (tmp_path / "cache" / ".lock").touch()
    get(tmp_path, ["good"])
    assert content(tmp_path) == {"file.gz": BODY}


def test_a_file_that_another_process_fetches_meanwhile_is_waited_for(tmp_path):
    (tmp_path / "cache").mkdir()
    waiting = threading.Thread(target=get, args=(tmp_path, ["404"]))
    with file_lock(tmp_path / "cache" / ".lock"):
        waiting.start()
        waiting.join(0.1)
        assert waiting.is_alive()
        (tmp_path / "cache" / "file.gz").write_bytes(BODY)
    waiting.join()
    assert get.asked == []
    assert content(tmp_path) == {"file.gz": BODY}


def test_processes_and_threads_share_one_download(tmp_path):
    spawn = multiprocessing.get_context("spawn")
    with Mirrors(BODY, [["slow"]]) as mirrors:
        arguments = mirrors.urls, tmp_path / "cache" / "file.gz", verify
        workers = [kind(target=fetch, args=arguments) for kind in 2 * [threading.Thread, spawn.Process]]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    assert [worker.exitcode for worker in workers[1::2]] == [0, 0]
    assert len(mirrors.asked) == 1
    assert content(tmp_path) == {"file.gz": BODY}


def test_no_server_at_all(tmp_path):
    with pytest.raises(InputError, match=r"cannot download file\.gz \(127\.0\.0\.1:9: .*refused"):
        fetch(["http://127.0.0.1:9/file.gz"], tmp_path / "file.gz", verify)


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "cache").write_bytes(b"a file in the way")
    with pytest.raises(InputError, match="cannot make the folder"):
        fetch(["http://127.0.0.1:9/file.gz"], tmp_path / "cache" / "file.gz", verify)


def test_a_lock_that_is_held_is_said_and_given_up(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("minivae.files.locks.SAID_AFTER", 0.05)
    monkeypatch.setattr("minivae.datasets.download.LOCK_PATIENCE", 0.1)
    words = r"did not end within 0 s; expected to get x\.gz"
    with file_lock(tmp_path / ".lock"), pytest.raises(InputError, match=words):
        fetch([], tmp_path / "x.gz", lambda path: None)
    assert capsys.readouterr().err.startswith(f"waiting, as another process or thread is downloading into {tmp_path}")
