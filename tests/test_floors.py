"""A file imports from floors below its own; the engine is small."""

import ast
import io
import tokenize
from pathlib import Path

import pytest

import minivae

from . import quick

ROOT = Path(minivae.__file__).parent
# From the ground up. A room imports from those below it, and none beside it.
FLOORS = (
    {"version", "errors", "progress", "slips"},
    {"checks"},
    {"files", "backend"},
    {"datasets", "autodiff"},
    {"compiler", "gradcheck"},
    {"distributions"},
    {"nn", "optim"},
    {"bounds", "regularizers"},
    {"models"},
    {"inference", "runs"},
    {"training"},
    {"plots"},
    {"cli"},
    {"__init__", "__main__"},
)
FLOOR_OF = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
# What a gradient passes through, from the tensor to backward; beside it are the tables of operations, the words of
# the refusals, the transformations of functions, and what hooks in (anomaly).
ENGINE = ("modes", "primitives", "tensor", "tape", "versions", "backward")


def room_of(path):
    """The room that a file of the package is in, or is."""
    return path.relative_to(ROOT).with_suffix("").parts[0]


def imported_rooms(path):
    """The rooms of minivae that a file imports from, wherever in it; what only type checkers read is left out."""
    depth = len(path.relative_to(ROOT).parts)
    tree = ast.parse(path.read_text())
    unread = {id(node) for block in ast.walk(tree) if _is_for_type_checkers(block) for node in ast.walk(block)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == depth and id(node) not in unread:
            names = [node.module.split(".")[0]] if node.module else [alias.name for alias in node.names]
            yield from names if set(names) <= FLOOR_OF.keys() else ["__init__"]
        assert not (isinstance(node, ast.Import | ast.ImportFrom) and "minivae" in ast.unparse(node)), path
        assert not (isinstance(node, ast.ImportFrom) and node.level > depth), path


def _is_for_type_checkers(node):
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


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


def test_an_upward_import_is_found(tmp_path, monkeypatch):
    """Also a late one, inside a function, and one of the package itself."""
    monkeypatch.setattr("tests.test_floors.ROOT", tmp_path)
    (tmp_path / "nn").mkdir()
    (tmp_path / "nn" / "file.py").write_text("def f():\n    from ..models import VAE\n    from .. import __version__\n")
    with pytest.raises(AssertionError, match="which is not below nn"):
        test_a_file_imports_only_from_floors_below(tmp_path / "nn" / "file.py")
    assert set(imported_rooms(tmp_path / "nn" / "file.py")) == {"models", "__init__"}


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
    assert sum(lines_of_code(ROOT / "autodiff" / f"{name}.py") for name in ENGINE) < 700


# ----------------------------------------------------------------------- CuPy

KNOW_CUPY = ("backend", "compiler/cuda")


def names_cupy(path):
    """The lines of a file whose code names CuPy: not its docstrings and comments, nor a message with that name."""
    tree = ast.parse(path.read_text())
    said = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None
    }
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
