"""One holder at a time; the others wait or are refused; nothing stays behind."""

from __future__ import annotations

import errno
import multiprocessing
import os
import shutil
import signal
import threading

import pytest

from minivae.errors import InputError
from minivae.files import file_lock


def test_holds_and_leaves_nothing(tmp_path):
    with file_lock(tmp_path / "lock") as held:
        assert held is True
        assert (tmp_path / "lock").exists()
    assert list(tmp_path.iterdir()) == []


def test_leaves_nothing_after_an_error(tmp_path):
    with pytest.raises(KeyboardInterrupt), file_lock(tmp_path / "lock"):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_the_second_is_refused_with_the_given_words(tmp_path):
    with file_lock(tmp_path / "lock", refusal="first"):
        with pytest.raises(InputError, match=r"^it is taken$"), file_lock(tmp_path / "lock", refusal="it is taken"):
            raise AssertionError("let in")
        assert (tmp_path / "lock").exists()  # refused, it removes nothing
    with file_lock(tmp_path / "lock", refusal="it is taken") as held:
        assert held


def add_one(folder, turns):
    """Read, add 1 and write back, so that two at once lose a turn."""
    for _ in range(turns):
        with file_lock(folder / "lock"):
            value = int((folder / "n").read_text())
            os.sched_yield()
            (folder / "n").write_text(str(value + 1))


def test_threads_and_processes_wait_for_each_other(tmp_path):
    (tmp_path / "n").write_text("0")
    spawn = multiprocessing.get_context("spawn")
    workers = [kind(target=add_one, args=(tmp_path, 30)) for kind in 2 * [threading.Thread, spawn.Process]]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert (tmp_path / "n").read_text() == "120"
    assert [path.name for path in tmp_path.iterdir()] == ["n"]


def hold_until_killed(path, ready):
    with file_lock(path):
        ready.set()
        signal.pause()


def test_a_killed_holder_leaves_a_file_that_is_no_lock(tmp_path):
    spawn = multiprocessing.get_context("spawn")
    ready = spawn.Event()
    holder = spawn.Process(target=hold_until_killed, args=(tmp_path / "lock", ready))
    holder.start()
    assert ready.wait(30)
    with pytest.raises(InputError, match="taken"), file_lock(tmp_path / "lock", refusal="taken"):
        pass
    holder.kill()
    holder.join()
    assert (tmp_path / "lock").exists()
    with file_lock(tmp_path / "lock", refusal="taken") as held:
        assert held
    assert list(tmp_path.iterdir()) == []


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_does_not_keep_the_lock(tmp_path):
    with file_lock(tmp_path / "lock"):
        child = os.fork()
        if not child:  # has the locked file open until it is killed
            signal.pause()
    try:
        with file_lock(tmp_path / "lock", refusal="taken") as held:
            assert held
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK])
def test_a_file_system_without_locks_lets_everyone_in(tmp_path, monkeypatch, number):
    def flock(file, how):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", flock)
    with file_lock(tmp_path / "lock") as first, file_lock(tmp_path / "lock", refusal="taken") as second:
        assert not first
        assert not second
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_to(tmp_path):
    with pytest.raises(InputError, match=r"cannot write .*lock: No such file"), file_lock(tmp_path / "none" / "lock"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_vanishes_meanwhile_does_not_hide_another_error(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()

    def lose_the_folder():
        with file_lock(folder / "lock"):
            shutil.rmtree(folder)
            folder.touch()  # unlink would say: not a directory
            raise InputError("cannot write")

    with pytest.raises(InputError, match="cannot write"):
        lose_the_folder()


def test_waiting_is_said_and_has_an_end(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("minivae.files.locks.SAID_AFTER", 0.05)
    with file_lock(tmp_path / "lock"):
        again = file_lock(tmp_path / "lock", "it is taken", patience=0.1, waiting="waiting for another")
        with pytest.raises(InputError, match=r"^it is taken$"), again:
            raise AssertionError("let in")
    assert capsys.readouterr().err == "waiting for another\n"
    with file_lock(tmp_path / "lock", "it is taken", patience=0.1, waiting="waiting for another"):
        pass
    assert capsys.readouterr().err == ""
