"""A file is whole or absent, whatever happens while it is written."""

from __future__ import annotations

import errno
import multiprocessing
import os
import shutil
import socket
import stat
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minivae.errors import InputError
from minivae.files import atomic, atomic_path, remove_leftovers


def test_writes_the_file_and_leaves_nothing_else(tmp_path):
    target = tmp_path / "a.txt"
    with atomic_path(target) as path:
        path.write_text("new")
        assert path.parent == tmp_path
        assert path.suffix == ".txt"
        assert not target.exists()
    assert target.read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


def test_libraries_that_choose_a_format_by_the_suffix_write_there(tmp_path):
    target = tmp_path / "model.npz"
    with atomic_path(str(target)) as path:
        np.savez(path, x=np.arange(3))
    with np.load(target, allow_pickle=False) as loaded:
        assert loaded["x"].tolist() == [0, 1, 2]
    assert list(tmp_path.iterdir()) == [target]


def test_replaces_an_old_file_only_when_the_new_one_is_whole(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with atomic_path(target) as path:
        path.write_text("ne")
        assert target.read_text() == "old"
        path.write_text("new")
    assert target.read_text() == "new"


def write_half(target, error):
    with atomic_path(target) as path:
        path.write_text("half")
        raise error


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_keeps_the_old_file_and_removes_the_part(tmp_path, error):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(error):
        write_half(target, error)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def no_space(*arguments, **options):
    raise OSError(errno.ENOSPC, "No space left on device")


def write(target, action=lambda: None):
    with atomic_path(target) as path:
        path.write_text("new")
        action()


@pytest.mark.parametrize("operation", ["write", "fsync", "replace"])
def test_what_the_system_refuses_names_the_file_and_keeps_the_old_one(tmp_path, monkeypatch, operation):
    target = tmp_path / "a.txt"
    target.write_text("old")
    if operation != "write":
        monkeypatch.setattr(atomic.os, operation, no_space)
    with pytest.raises(InputError) as raised:
        write(target, no_space if operation == "write" else lambda: None)
    assert str(raised.value) == f"cannot write {target}: No space left on device"
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_reason_in_words_alone_is_told_too(tmp_path):
    with pytest.raises(InputError, match=r"cannot write .*a\.txt: 3 requested and 1 written"):
        write_half(tmp_path / "a.txt", OSError("3 requested and 1 written"))


def test_a_folder_that_vanishes_meanwhile_is_refused(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(InputError, match=r"cannot write .*a\.txt: No such file or directory"):
        write(folder / "a.txt", lambda: shutil.rmtree(folder))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_becomes_read_only_meanwhile_does_not_hide_the_reason(tmp_path, monkeypatch):
    def read_only(*arguments, **options):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(atomic.os, "replace", read_only)
    monkeypatch.setattr(atomic.Path, "unlink", read_only)
    with pytest.raises(InputError, match=r"cannot write .*a\.txt: Read-only file system"):
        write(tmp_path / "a.txt")


def test_what_a_killed_writer_left_is_removed_and_nothing_else(tmp_path):
    kept = {tmp_path / name for name in ("model.npz", ".model.npz", ".part-1.npz", "a.part-0123abcd.npz", ".hidden")}
    for path in kept:
        path.write_text("")
    with atomic_path(tmp_path / "model.npz") as part:
        shutil.copy(part, tmp_path / ".model.part-0123abcd.npz")
    with atomic_path(tmp_path / "README") as part:
        shutil.copy(part, tmp_path / ".README.part-0123abcd")
    (tmp_path / ".README.lock-89abcdef").touch()  # killed before it began to write, or after the rename
    remove_leftovers(tmp_path)
    assert set(tmp_path.iterdir()) == kept | {tmp_path / "README"}


NAMES = st.text("aZ9 -_.ß", min_size=1, max_size=12).filter(lambda name: name.strip("."))
LIKE_OURS = st.builds(
    "{}{}{}{}".format,
    *map(
        st.sampled_from,
        [
            ["", ".", ".a", "a"],
            [".part", ".lock"],
            ["", "-0123abcd"],
            ["", ".", ".npz", ".part-4567abcd"],
        ],
    ),
)


@given(st.lists(NAMES | LIKE_OURS, unique=True, min_size=1, max_size=4))
def test_what_is_being_written_stays_whatever_its_name(tmp_path_factory, names):
    """And is whole in the end, though others look for leftovers meanwhile; and then nothing else is there."""
    folder = tmp_path_factory.mktemp("folder")
    with ExitStack() as writing:
        for name in names:
            part = writing.enter_context(atomic_path(folder / name))
            part.write_text(name)
            remove_leftovers(folder)
    assert {path.name: path.read_text() for path in folder.iterdir()} == {name: name for name in names}


def write_when_told(path, begun, go_on):
    with atomic_path(path) as part:
        part.write_text("half")
        begun.set()
        go_on.wait(60)
        with open(part, "r+") as file:  # as a library goes on with what it has begun
            file.write("whole")


@pytest.mark.parametrize("killed", [False, True])
def test_what_another_process_is_writing_stays_while_it_lives(tmp_path, killed):
    spawn = multiprocessing.get_context("spawn")
    begun, go_on = spawn.Event(), spawn.Event()
    writer = spawn.Process(target=write_when_told, args=(tmp_path / "a.txt", begun, go_on))
    writer.start()
    assert begun.wait(60)
    before = set(tmp_path.iterdir())
    remove_leftovers(tmp_path)
    assert set(tmp_path.iterdir()) == before
    writer.kill() if killed else go_on.set()
    writer.join()
    remove_leftovers(tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == ({} if killed else {"a.txt": "whole"})


def test_where_there_are_no_locks_nothing_is_removed(tmp_path, monkeypatch):
    def flock(file, how):
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", flock)
    (tmp_path / ".a.part-0123abcd.txt").touch()
    with atomic_path(tmp_path / "b.txt") as part:
        part.write_text("b")
        remove_leftovers(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {".a.part-0123abcd.txt", "b.txt"}


def test_what_the_system_does_not_let_us_remove_stops_nobody(tmp_path, monkeypatch):
    def deny(path, missing_ok=False):
        raise PermissionError(errno.EPERM, "Operation not permitted", str(path))

    (tmp_path / ".a.part-0123abcd.txt").touch()
    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", deny)
        remove_leftovers(tmp_path)
    assert (tmp_path / ".a.part-0123abcd.txt").exists()


def test_an_error_without_an_old_file_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="stop"):
        write_half(tmp_path / "a.txt", ValueError("stop"))
    assert list(tmp_path.iterdir()) == []


def test_data_are_on_the_disk_before_the_name_is(tmp_path, monkeypatch):
    order = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(atomic.os, "fsync", lambda number: (order.append("fsync"), fsync(number)))
    monkeypatch.setattr(atomic.os, "replace", lambda *paths: (order.append("replace"), replace(*paths)))
    with atomic_path(tmp_path / "a.txt") as path:
        path.write_text("new")
        order.append("written")
    assert order == ["written", "fsync", "replace"]


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")
@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_a_file_is_as_readable_as_any_other(tmp_path, mask, mode):
    old = os.umask(mask)
    try:
        with atomic_path(tmp_path / "a.txt") as path:
            path.write_text("new")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == mode


def test_two_writers_of_one_file_do_not_meet(tmp_path):
    target = tmp_path / "a.txt"
    with atomic_path(target) as first, atomic_path(target) as second:
        first.write_text("first")
        second.write_text("second")
    assert target.read_text() == "first"  # the outer block ends last
    assert list(tmp_path.iterdir()) == [target]


def enter(path):
    with atomic_path(path):
        pytest.fail("the body ran")


def test_a_missing_folder_is_refused_before_the_work(tmp_path):
    with pytest.raises(InputError, match=r"cannot write .*a\.txt: No such file or directory"):
        enter(tmp_path / "missing" / "a.txt")


def test_a_file_for_a_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cannot write .*a\.txt"):
        enter(tmp_path / "file" / "a.txt")


def test_a_folder_for_a_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="it is a folder"):
        enter(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_read_only_folder_is_refused(tmp_path, monkeypatch):
    def deny(path, mode):  # root may write anywhere, so the system's answer is imitated
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(atomic, "open", deny, raising=False)
    with pytest.raises(InputError, match=r"cannot write .*a\.txt: Permission denied"):
        enter(tmp_path / "a.txt")


# --------------------------------------------------------- files that are the user's


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755])
def test_a_file_keeps_its_mode(tmp_path, mode):
    target = tmp_path / "a.txt"
    target.write_text("old")
    target.chmod(mode)
    with atomic_path(target) as path:
        assert stat.S_IMODE(path.stat().st_mode) == mode  # from the beginning: no one else reads it on the way
        path.write_text("new")
    assert (target.read_text(), stat.S_IMODE(target.stat().st_mode)) == ("new", mode)


def test_a_new_file_has_the_usual_mode(tmp_path):
    (tmp_path / "usual").touch()
    write(tmp_path / "a.txt")
    assert (tmp_path / "a.txt").stat().st_mode == (tmp_path / "usual").stat().st_mode


@pytest.mark.skipif(os.name != "posix", reason="pipes and devices of POSIX")
@pytest.mark.parametrize("kind", ["pipe", "device", "socket", "folder", "link to a device"])
def test_what_is_no_file_is_never_replaced(tmp_path, monkeypatch, kind):
    target = tmp_path / "a.csv"
    if kind == "pipe":
        os.mkfifo(target)
    elif kind == "socket":
        monkeypatch.chdir(tmp_path)  # its path may not be long
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind("a.csv")
    elif kind == "folder":
        target.mkdir()
    else:
        target = Path(os.devnull) if kind == "device" else target
        if kind != "device":
            target.symlink_to(os.devnull)
    before = os.lstat(target)
    with pytest.raises(InputError, match=f"^cannot write {target}: it is a {kind.split()[-1]}$"):
        write(target)
    assert (os.lstat(target).st_ino, os.lstat(target).st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_what_a_link_leads_to_is_written_and_the_link_stays(tmp_path):
    (tmp_path / "there").mkdir()
    link, file = tmp_path / "a.txt", tmp_path / "there" / "b.txt"
    link.symlink_to(Path("there", "b.txt"))
    for _ in range(2):  # a link to nothing, and to a file
        write(link)
        assert (os.readlink(link), file.read_text()) == ("there/b.txt", "new")
        file.write_text("old")
    assert {path.name for path in tmp_path.rglob("*")} == {"a.txt", "there", "b.txt"}


def test_links_that_go_round_in_a_circle_are_refused(tmp_path):
    (tmp_path / "a.txt").symlink_to("b.txt")
    (tmp_path / "b.txt").symlink_to("a.txt")
    with pytest.raises(InputError, match=r"cannot write .*a\.txt: Too many levels of symbolic links"):
        write(tmp_path / "a.txt")


def test_a_file_that_may_not_be_written_is_not_replaced(tmp_path, monkeypatch):
    target = tmp_path / "a.txt"
    target.write_text("old")
    monkeypatch.setattr(atomic.os, "access", lambda path, how: False)  # root may write anything
    with pytest.raises(InputError, match=r"cannot write .*a\.txt: Permission denied"):
        write(target)
    assert target.read_text() == "old"
