"""Stand-ins for small packages do what minivae asks of the packages."""

import sys
import threading

import pytest

from benchmarks.gpu import standins
from minivae.datasets import storage
from minivae.errors import InputError
from minivae.files import file_lock
from minivae.models import MODELS, registry
from minivae.progress import progress_bar


@pytest.fixture
def standing_in(monkeypatch):
    """Puts a stand-in in the place of a package, installed or not."""

    def put(name):
        monkeypatch.setitem(sys.modules, name, None)
        monkeypatch.delitem(sys.modules, name)
        monkeypatch.setattr(standins, "absent", lambda: [name])
        assert standins.install() == [name]

    return put


def test_what_is_installed_is_used(monkeypatch):
    monkeypatch.setattr(standins, "absent", lambda: ["matplotlib"])  # of which there is no stand-in
    assert standins.install() == []


def test_the_options_of_every_model_read_the_same(standing_in):
    pytest.importorskip("docstring_parser")
    expected = {name: registry.documented(model) for name, model in MODELS.items()}
    standing_in("docstring_parser")
    assert {name: registry.documented(model) for name, model in MODELS.items()} == expected
    assert any(expected.values())


def test_a_bar_shows_nothing(standing_in, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    standing_in("tqdm")
    with progress_bar(total=3, desc="pixels") as bar:
        bar.update(2)
        bar.set_postfix_str("1.0 nats", refresh=False)
    assert capsys.readouterr() == ("", "")


def test_the_cache_is_in_its_usual_place(standing_in, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    standing_in("platformdirs")
    assert storage.cache_folder() == tmp_path / ".cache" / "minivae"


def test_a_file_is_locked_and_let_go(standing_in, tmp_path):
    standing_in("filelock")
    path = tmp_path / "lock"
    with file_lock(path) as held:
        assert held
        with pytest.raises(InputError, match="busy"), file_lock(path, "busy"):
            pass
        waiting = threading.Thread(target=lambda: file_lock(path).__enter__(), daemon=True)
        waiting.start()
    waiting.join(60)
    assert not waiting.is_alive()
    with file_lock(tmp_path / "other", "busy"):
        pass
