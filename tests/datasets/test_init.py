import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import requests

from minivae.datasets import available, download, load, names
from minivae.errors import InputError


def test_names():
    made = ("moving-digits", "linear-gaussian-sequences")
    assert names() == ("digits", "mnist", "frey", "binarized-mnist", *made)


def test_available_says_what_is_here():
    here = available()
    assert tuple(here) == names()
    for name in ("digits", "moving-digits", "linear-gaussian-sequences"):
        assert here.pop(name).is_file()
    assert set(here.values()) == {None}


@pytest.mark.parametrize(("name", "nearest"), [("mnsit", "mnist"), ("Digits", "digits"), ("freyface", "frey")])
def test_an_unknown_name_gets_the_nearest_and_that_no_file_is_there(name, nearest):
    with pytest.raises(InputError, match=f"did you mean '{nearest}'.*no file or folder"):
        load(name)


@pytest.mark.parametrize("path", ["missing.npy", os.path.join("no", "folder"), "~/no-such-file-here.npz"])
def test_a_missing_path_is_called_missing(path):
    with pytest.raises(InputError, match="expected a file or folder, and there is none"):
        load(path)


@pytest.mark.parametrize("name", [None, 7, ["digits"]])
def test_neither_name_nor_path(name):
    with pytest.raises(InputError, match="expected a name or a path"):
        load(name)


@pytest.mark.parametrize("name", ["", "\0", "x" * 5000])
def test_odd_names(name):
    with pytest.raises(InputError, match="expected one of digits"):
        load(name)


def test_names_win_over_files_and_a_dot_picks_the_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("digits.npy", np.zeros((10, 4), np.uint8))
    Path("digits.npy").rename("digits")
    assert load("digits").data_dim == 64
    with pytest.raises(InputError, match="unknown format"):
        load("./digits")


@pytest.mark.parametrize("name", ["mnist", "frey", "binarized-mnist"])
def test_offline_there_is_one_line_on_what_to_put_where(name, monkeypatch, cache):
    monkeypatch.setattr(download, "PAUSE", 0.0)

    def offline(*_, **__):
        raise requests.ConnectionError("no network")

    monkeypatch.setattr("requests.get", offline)
    with pytest.raises(InputError, match=r"no network.*put .* into") as error:
        load(name)
    assert str(cache) in str(error.value)
    assert "\n" not in str(error.value)
    assert [path for path in cache.rglob("*") if path.is_file()] == []


def test_importing_it_loads_nothing_heavy():
    code = "import minivae.datasets, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "minivae.datasets" in loaded
    heavy = {"matplotlib", "PIL", "scipy", "pooch", "requests", "filelock", "platformdirs", "tqdm", "cupy", "torch"}
    assert heavy.isdisjoint(loaded)
