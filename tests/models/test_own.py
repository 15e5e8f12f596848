"""Classes of the user's own by name: found, or refused in one line that says which line is wrong."""

from importlib.metadata import EntryPoint

import pytest

from minivae.errors import InputError
from minivae.models import MODELS, VAE, Model, registry
from minivae.models.own import installed, is_own
from minivae.models.registry import named, options, require_remembered

MINE = """
from __future__ import annotations
from typing import Literal, Optional, Sequence
import minivae as mv

class Mine(mv.models.VAE):
    '''Mine.

    Args:
        price: of it.
    '''

    def __init__(self, data_dim: int, latent_dim: int = 3, *, price: float = 0.5, mood: Literal["a", "b"] = "a",
                 sizes: list[int] = (1,), more: tuple[float, ...] = (), count: Optional[int] = None,
                 rate: int | float = 1, **others):
        super().__init__(data_dim, latent_dim, **others)
        self.remember(price=price, mood=mood, sizes=sizes, more=more, count=count, rate=rate)
"""


TAKING = "from minivae.models import Model\nclass Mine(Model):\n    def __init__(self, {}): pass\n"


@pytest.fixture
def mine(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(MINE)
    return path


def test_every_listed_name_is_its_class():
    assert {name: named(name) for name in MODELS} == {name: (name, kind) for name, kind in MODELS.items()}


def test_a_class_in_a_file(mine, monkeypatch):
    name, kind = named(f"{mine}:Mine")
    assert (name, kind.__name__, issubclass(kind, VAE)) == (f"{mine}:Mine", "Mine", True)
    monkeypatch.chdir(mine.parent)
    assert named("mine.py:Mine") == named("./mine.py:Mine") == (name, kind)  # run once
    found = options(kind)
    assert found["price"] == registry.Option(0.5, float, False, None, "of it.")
    assert found["mood"][1:4] == (str, False, ("a", "b"))
    assert [found[n][1:3] for n in ("sizes", "more", "count", "rate")] == [
        *((int, True), (float, True), (int, False), (float, False))
    ]
    assert "variance" in found
    require_remembered(kind(4))


def test_a_file_finds_those_beside_it(mine):
    (mine.parent / "using.py").write_text("from mine import Mine\nclass Other(Mine): pass\n")
    assert named(f"{mine.parent / 'using.py'}:Other")[1].__mro__[1].__name__ == "Mine"


def test_a_class_in_a_module(mine, monkeypatch):
    monkeypatch.syspath_prepend(mine.parent)
    assert named("mine:Mine")[0] == "mine:Mine"


def test_a_listed_class_goes_by_its_name():
    assert named("minivae.models.vae:VAE") == ("vae", VAE)
    assert named("minivae.models:IWAE")[0] == "iwae"


def test_an_entry_point_goes_by_where_it_is(mine, monkeypatch):
    monkeypatch.syspath_prepend(mine.parent)
    entries = [EntryPoint("mine-vae", "mine:Mine", "minivae.models")]
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: entries if group == "minivae.models" else [])
    assert installed("minivae.models") == {"mine-vae": "mine:Mine"}
    assert named("mine-vae")[0] == "mine:Mine"
    with pytest.raises(InputError, match="did you mean 'mine-vae'"):
        named("mine-va")


def test_which_names_are_one_s_own():
    assert [is_own(name) for name in ("a.py:B", "a:B", "vae", "", None, 3)] == [True, True, False, False, False, False]


@pytest.mark.parametrize(
    ("text", "wanted", "said"),
    [
        (None, "Mine", "expected a file, and there is none"),
        ("def f(:\n", "Mine", "line 1, which fails: SyntaxError"),
        ("import nowhere_at_all\n", "Mine", "line 1, which fails: ModuleNotFoundError: No module named"),
        ("x = 1\n\ny = x / 0\n", "Mine", "line 3, which fails: ZeroDivisionError"),
        ("import sys\nsys.exit('bye')\n", "Mine", "line 2, which fails: SystemExit: bye"),
        ("", "Mine", "but there is no such class; expected a class that derives from minivae.models.model.Model"),
        ("Mine = 3\n", "Mine", "but that is 3; expected a class"),
        ("class Mine: pass\n", "Mine", "expected a class that derives from"),
        ("from minivae.models import Model\n", "Model", "expected a class that derives from"),
        (MINE, "mine", "did you mean 'Mine'?"),
        (MINE, "Mien", "did you mean 'Mine'?"),
        (MINE, "", ":Class"),
    ],
)
def test_what_is_not_found_is_said_in_one_line(tmp_path, text, wanted, said):
    path = tmp_path / "file.py"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError) as found:
        named(f"{path}:{wanted}")
    assert said in str(found.value)
    assert str(path) in str(found.value)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize("name", ["no.such.module:Mine", ":Mine", ".relative:Mine", "a b:Mine", "json:Mine", "a.txt:B"])
def test_a_module_that_is_not_there(name):
    with pytest.raises(InputError, match="model is"):
        named(name)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            "data_dim: int, price=1.0",
            "price of Mine has no annotation; expected its type, as in  price: float",
        ),
        ("data_dim: int, *, price: float", "argument price of Mine has no default; expected one, as in  price: float"),
        ("data_dim: int, price: dict = {}", "price of Mine is annotated with <class 'dict'>; expected int, float"),
        ("data_dim: int, price: int | str = 1", "price of Mine is annotated with"),
        ("data_dim: int, price: 'Nothing' = 1", "annotations of Mine.__init__ are not understood"),
        ("price: float = 1.0", "Mine has no argument data_dim"),
    ],
)
def test_an_argument_that_cannot_be_an_option_is_refused_for_that_class_alone(tmp_path, arguments, said):
    path = tmp_path / "file.py"
    path.write_text(
        f"from minivae.models import Model\nclass Mine(Model):\n    def __init__(self, {arguments}): pass\n"
    )
    _, kind = named(f"{path}:Mine")
    with pytest.raises(InputError) as found:
        options(kind)
    assert said in str(found.value)
    assert options(VAE)


class Forgetful(VAE):
    """Forgets its price."""

    def __init__(self, data_dim: int, price: float = 1.0) -> None:
        super().__init__(data_dim, 2, (3,))
        self.price = price


def test_a_model_that_forgets_an_argument_is_refused():
    """Opened again it would have the default, in silence."""
    with pytest.raises(InputError, match=r"Forgetful does not remember its argument price; expected self.remember"):
        require_remembered(Forgetful(4))


@pytest.mark.parametrize("name", MODELS)
def test_every_member_remembers(name):
    known = registry.arguments(MODELS[name])
    told = {argument: 2 for argument in ("context_dim", "sequence_length") if argument in known}
    require_remembered(MODELS[name](data_dim=4, **told))


def test_a_model_needs_no_options_at_all(tmp_path):
    path = tmp_path / "file.py"
    path.write_text(
        "from minivae.models import Model\nclass Mine(Model):\n    def __init__(self, data_dim: int): pass\n"
    )
    kind = named(f"{path}:Mine")[1]
    assert options(kind) == {}
    assert issubclass(kind, Model)
