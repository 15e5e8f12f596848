"""Folders are made once, by one, and not where other files are."""

import threading

import pytest

from minivae.errors import InputError
from minivae.files import folders, make_folder, require_only


def test_of_many_that_make_a_folder_one_is_told_that_it_is_new(tmp_path):
    started, told = threading.Barrier(8), []

    def make():
        started.wait()
        told.append(make_folder(tmp_path / "runs" / "a"))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == [False] * 7 + [True]


def test_a_file_in_its_place_is_named(tmp_path):
    (tmp_path / "taken").touch()
    for folder in (tmp_path / "taken", tmp_path / "taken" / "below"):
        with pytest.raises(InputError, match=f"^cannot make the folder {folder}: "):
            make_folder(folder)


def test_a_parent_that_is_taken_away_meanwhile_is_made_again(tmp_path, monkeypatch):
    made, turns = folders._made, iter([True])

    def taken_away(folder):
        if next(turns, False):
            raise FileNotFoundError(2, "No such file or directory")
        return made(folder)

    monkeypatch.setattr(folders, "_made", taken_away)
    assert make_folder(tmp_path / "runs" / "a")


def test_files_of_other_names_are_named(tmp_path):
    require_only(tmp_path / "none", {"a"}.__contains__, "figures")
    for name in "ab":
        (tmp_path / name).touch()
    require_only(tmp_path, {"a", "b"}.__contains__, "figures")
    with pytest.raises(InputError, match=f"^{tmp_path} holds other files: b; expected figures$"):
        require_only(tmp_path, {"a"}.__contains__, "figures")
