import sys
from pathlib import Path

import pytest

from minivae.datasets import storage
from minivae.datasets.storage import Wanted, cache_folder, find, obtain
from minivae.errors import InputError


def put(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return path


def wanted(*names):
    return Wanted(names, (f"http://mirror.invalid/{names[0]}",), lambda path: None)


@pytest.fixture
def downloads(monkeypatch):
    """Downloads that put a byte in place, and the list of them."""
    made = []

    def fetch(urls, path, verify):
        made.append(put(path).name)

    monkeypatch.setattr(storage, "fetch", fetch)
    return made


def test_minivae_data_comes_before_the_cache(cache, tmp_path, monkeypatch):
    assert find("mnist", ["a", "b"]) is None
    in_cache = put(cache / "mnist" / "a")
    assert find("mnist", ["a", "b"]) == in_cache
    monkeypatch.setenv("MINIVAE_DATA", str(tmp_path / "data"))
    in_data = put(tmp_path / "data" / "mnist" / "b")
    assert find("mnist", ["a", "b"]) == in_data
    assert find("frey", ["a"]) is None


def test_minivae_data_must_be_a_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MINIVAE_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match=r"MINIVAE_DATA is .*nowhere"):
        find("mnist", ["a"])


def test_only_what_is_missing_is_downloaded_and_only_once(cache, downloads):
    put(cache / "mnist" / "b")
    files = [wanted("a.gz", "a"), wanted("b.gz", "b")]
    for _ in range(2):
        assert obtain("mnist", files) == [cache / "mnist" / "a.gz", cache / "mnist" / "b"]
    assert downloads == ["a.gz"]


def test_downloads_go_into_the_cache_and_not_into_minivae_data(cache, downloads, tmp_path, monkeypatch):
    monkeypatch.setenv("MINIVAE_DATA", str(tmp_path))
    assert obtain("mnist", [wanted("a.gz")]) == [cache / "mnist" / "a.gz"]
    assert not (tmp_path / "mnist").exists()


def test_offline_says_which_files_to_put_where(cache, monkeypatch):
    def fetch(urls, path, verify):
        raise InputError(f"cannot download {path.name} (no network)")

    monkeypatch.setattr(storage, "fetch", fetch)
    put(cache / "mnist" / "b.gz")
    with pytest.raises(InputError) as error:
        obtain("mnist", [wanted("a.gz"), wanted("b.gz"), wanted("c.gz")])
    message = str(error.value)
    assert "\n" not in message
    assert "no network" in message
    assert f"put a.gz, c.gz into {cache / 'mnist'}" in message
    assert "MINIVAE_DATA" in message


@pytest.mark.skipif(sys.platform != "linux", reason="other platforms have other places")
def test_the_cache_is_where_the_platform_has_it(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    assert cache_folder() == Path("/x/minivae")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/me")
    assert cache_folder() == Path("/home/me/.cache/minivae")


def test_without_a_home_there_is_no_cache_and_nothing_in_it(monkeypatch):
    def homeless(*_, **__):
        raise RuntimeError("could not determine the home directory")

    monkeypatch.setattr("platformdirs.user_cache_path", homeless)
    monkeypatch.delenv("MINIVAE_DATA", raising=False)
    assert find("mnist", ("a",)) is None
    with pytest.raises(InputError, match="there is no home for the cache; expected HOME"):
        cache_folder()
