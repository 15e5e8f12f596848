"""A file imports from floors below its own; the engine is small."""

import ast
import io
import re
import sys
import tokenize
from pathlib import Path

import pytest

import minivae
from minivae.training import Settings, Trainer

from . import quick

ROOT = Path(minivae.__file__).parent
# From the ground up. A room imports from those below it, and none beside it.
FLOORS = (
    {"version", "errors", "progress", "slips", "signals"},
    {"checks", "optional"},
    {"files", "backend"},
    {"datasets", "autodiff"},
    {"compiler", "gradcheck"},
    {"distributions"},
    {"nn", "optim"},
    {"bounds", "regularizers"},
    {"models"},
    {"inference", "runs"},
    {"training"},
    {"estimator"},
    {"plots"},
    {"cli"},
    {"__init__", "__main__"},
)
FLOOR_OF = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
# What a gradient passes through, from the tensor to backward; beside it are the tables of operations, the words of
# the refusals, the transformations of functions, and what hooks in (anomaly). The two tables of "effects" are in it:
# draws, and the assignments that backward looks out for.
ENGINE = ("modes", "primitives", "tensor", "tape", "effects", "backward")


def room_of(path):
    """The room that a file of the package is in, or is."""
    return path.relative_to(ROOT).with_suffix("").parts[0]


def imported_rooms(path):
    """The rooms of minivae that a file imports from, wherever in it; what only type checkers read is left out.

    By statements, and by strings: a module can be imported by its name.
    """
    depth = len(path.relative_to(ROOT).parts)
    tree = ast.parse(path.read_text())
    unread = {id(node) for block in ast.walk(tree) if _is_for_type_checkers(block) for node in _inside(block.body)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == depth and id(node) not in unread:
            names = [node.module.split(".")[0]] if node.module else [alias.name for alias in node.names]
            yield from names if set(names) <= FLOOR_OF.keys() else ["__init__"]
        assert not (isinstance(node, ast.Import | ast.ImportFrom) and "minivae" in ast.unparse(node)), path
        assert not (isinstance(node, ast.ImportFrom) and node.level > depth), path
    for text in strings(tree):
        yield from _room_named_by(text, depth)
    for name in by_name(tree):
        text = name.value if isinstance(name, ast.Constant) else ast.unparse(name)
        assert not re.match(r"""\(*f?['"](minivae\b|\.)""", text), f"{path} imports {text}, which is known when it runs"
        if text == "minivae" or text == "." * depth:
            yield "__init__"


def _is_for_type_checkers(node):
    return isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def _inside(nodes):
    return (inner for node in nodes for inner in ast.walk(node))


def docstrings(tree):
    """The ids of the nodes that are docstrings."""
    return {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None
    }


def strings(tree):
    """The strings of a file but its docstrings."""
    said = docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            yield node.value


def _room_named_by(text, depth):
    """The room of the module that a string names, if it names one: ``"minivae.nn.mlp"``, ``"..nn"``."""
    found = re.fullmatch(r"(minivae\.|\.+)(\w+)(\.\w+)*", text)
    if found and found[2] in FLOOR_OF and found[1] in ("minivae.", "." * depth):
        yield found[2]


IMPORTERS = ("import_module", "__import__", "find_spec", "resolve_name")


def by_name(tree):
    """What names a module to import, or one that is there: ``import_module(...)``, ``sys.modules[...]``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in IMPORTERS and node.args:
            yield node.args[0]
        if isinstance(node, ast.Subscript) and ast.unparse(node.value).split(".")[-1] == "modules":
            yield node.slice


EVERY_FILE = sorted(ROOT.rglob("*.py"))


def test_every_room_is_on_a_floor():
    assert {room_of(path) for path in EVERY_FILE} == FLOOR_OF.keys()


def test_every_room_has_quick_tests():
    """``-m quick`` knows each of them, and its files are there."""
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert rooms <= {file.split("/")[0] for file in quick.FILES}
    assert {file for file in quick.FILES if not (Path(__file__).parent / file).is_file()} == set()


@pytest.mark.parametrize("path", EVERY_FILE, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_imports_only_from_floors_below(path):
    room = room_of(path)
    upward = {name for name in imported_rooms(path) if name != room and FLOOR_OF[name] >= FLOOR_OF[room]}
    assert not upward, f"{path} imports from {upward}, which is not below {room}"


UPWARD = {  # each in a file of nn/, and what it imports
    "in a function": ("def f():\n    from ..models import VAE", {"models"}),
    "the package": ("from .. import __version__", {"__init__"}),
    "what a type checker does not read": (
        "if TYPE_CHECKING:\n    from ..cli import main\nelse:\n    from ..models import VAE",
        {"models"},
    ),
    "what runs where no type checker reads": ("if not TYPE_CHECKING:\n    from ..models import VAE", {"models"}),
    "by a name": ("import_module('minivae.models')", {"models"}),
    "by a module's function": ("importlib.import_module('minivae.models.vae')", {"models"}),
    "by a relative name": ("import_module('..models', __package__)", {"models"}),
    "by a function under another name": (
        "load = import_module\nload('..models.vae', package='minivae.nn')",
        {"models", "nn"},
    ),
    "by a name kept elsewhere": ("NAME = 'minivae.models'\nimport_module(NAME)", {"models"}),
    "by the function under import": ("__import__('minivae.models')", {"models"}),
    "the package by a name": ("__import__('minivae').models", {"__init__"}),
    "the package by a relative name": ("import_module('..', __package__)", {"__init__"}),
    "what is there already": ("sys.modules['minivae.models'].VAE", {"models"}),
    "the package that is there already": ("sys.modules['minivae'].models", {"__init__"}),
    "a list of names": ("for name in ['minivae.models', 'minivae.cli']:\n    import_module(name)", {"models", "cli"}),
}


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Writes a file of nn/ in a package of its own."""
    monkeypatch.setattr("tests.test_floors.ROOT", tmp_path)
    (tmp_path / "nn").mkdir()

    def write(text):
        path = tmp_path / "nn" / "file.py"
        path.write_text(text + "\n")
        return path

    return write


@pytest.mark.parametrize("how", UPWARD)
def test_an_upward_import_is_found(file, how):
    text, rooms = UPWARD[how]
    path = file(text)
    assert set(imported_rooms(path)) == rooms
    with pytest.raises(AssertionError, match="which is not below nn"):
        test_a_file_imports_only_from_floors_below(path)


@pytest.mark.parametrize(
    "text",
    [
        "import_module(f'minivae.{name}')",
        "import_module('minivae.' + name)",
        "import_module('..' + name, __package__)",
        "sys.modules[f'minivae.{name}']",
        "import minivae.models",
        "from minivae.models import VAE",
        "from ...minivae import models",
    ],
)
def test_an_import_that_is_not_known_before_it_runs_or_goes_out_of_the_house_is_refused(file, text):
    with pytest.raises(AssertionError):
        test_a_file_imports_only_from_floors_below(file(text))


@pytest.mark.parametrize(
    "text",
    [
        '"""As minivae.models has it.\n"""',
        "def f():\n    'minivae.models'",
        "if TYPE_CHECKING:\n    from ..models import VAE",
        "import_module('cupy')",
        "import_module(name)",  # of a user's module
        "path.with_suffix('.models')",
        "write('minivae.models is where they are', '..', '.', 'minivae')",
        "from ..autodiff import Tensor",
    ],
)
def test_what_is_no_upward_import_is_let_be(file, text):
    test_a_file_imports_only_from_floors_below(file(text))


def test_the_table_of_floors_is_this_one():
    """Of CONTRIBUTING.md; the package's own two files, above all, are left out there."""
    page = (ROOT.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = page.partition("| floor | rooms |\n| --- | --- |\n")[2].partition("\n\n")[0]
    rows = [re.findall(r"`(\w+)(?:/|\.py)`", row.split("|")[2]) for row in table.splitlines()]
    assert [set(row) for row in rows] == list(FLOORS[:-1])


def test_files_of_the_engine_do_not_import_each_other_in_a_circle():
    """Leaving out __init__ and what only type checkers read."""
    edges = {
        path.stem: {
            node.module.split(".")[0]
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module
        }
        for path in (ROOT / "autodiff").glob("*.py")
        if path.stem != "__init__"
    }
    while edges:
        free = [name for name, others in edges.items() if not others & edges.keys()]
        assert free, f"a circle among {sorted(edges)}"
        for name in free:
            del edges[name]


def lines_of_code(path):
    """How many lines hold more than comments, docstrings and white space."""
    text = path.read_text()
    skipped = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
    tokens = [t for t in tokenize.generate_tokens(io.StringIO(text).readline) if t.type not in skipped]
    lines = {line for t in tokens for line in range(t.start[0], t.end[0] + 1)}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            lines -= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return len(lines)


def test_the_engine_is_read_in_one_sitting():
    assert sum(lines_of_code(ROOT / "autodiff" / f"{name}.py") for name in ENGINE) < 726


# ------------------------------------------------------------ a walk through a step

WALK = 25  # files; they were 33 while pieces of one idea lay apart


def files_entered(call):
    """The files of the package whose functions run while ``call`` does, relative to it."""
    entered, before = set(), sys.getprofile()
    sys.setprofile(lambda frame, event, argument: entered.add(frame.f_code.co_filename) if event == "call" else None)
    try:
        call()
    finally:
        sys.setprofile(before)
    paths = {Path(name) for name in entered}
    return {path.relative_to(ROOT).as_posix() for path in paths if path.is_relative_to(ROOT)}


def test_a_step_of_training_is_walked_through_in_few_files():
    """Who follows one step of the VAE with a debugger, from minibatch to Adam, has to open each of them.

    A function that moves to a file of its own is one more to open: what is read together stands together.
    """
    data = minivae.datasets.load("digits")
    model = minivae.models.VAE(data.data_dim, 8, (20,))
    trainer = Trainer(model, data, Settings(batch_size=50, compile=False))
    trainer.train_step()  # which makes what all others find
    entered = files_entered(trainer.train_step)
    assert entered > {"training/trainer.py", "models/vae.py", "bounds.py", "autodiff/backward.py", "optim/adam.py"}
    assert len(entered) <= WALK, sorted(entered)


# ----------------------------------------------------------------------- CuPy

KNOW_CUPY = ("backend", "compiler/cuda")


def names_cupy(path):
    """The lines of a file whose code names CuPy: not its docstrings and comments, nor a message with that name."""
    tree = ast.parse(path.read_text())
    said = docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            named = node.value.startswith("cupy")  # a name of the backend, or of a module to import
        else:
            names = [node.id] if isinstance(node, ast.Name) else [node.attr] if isinstance(node, ast.Attribute) else []
            names += [a.name for a in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            named = any("cupy" in name.lower() for name in names)
        if named:
            yield node.lineno


def test_two_rooms_know_cupy():
    """What the README says of a backend: no other code names it, so that an array brings its functions along."""
    found = {path.relative_to(ROOT).as_posix() for path in EVERY_FILE if list(names_cupy(path))}
    assert found
    assert {file for file in found if not file.startswith(KNOW_CUPY)} == set()


def test_code_that_names_cupy_is_found(tmp_path):
    for line in (
        "import cupyx.scipy",
        "from cupy import asarray",
        "if name == 'cupy': pass",
        "xp = backend.CupyBackend",
    ):
        (tmp_path / "file.py").write_text(f'"""As CuPy has it."""\n{line}  # as in CuPy\n')
        assert set(names_cupy(tmp_path / "file.py")) == {2}, line
