"""The engine is small and knows nothing above it; the compiler and the gradient check stand on it alone."""

import ast
import io
import tokenize
from pathlib import Path

import pytest

import minivae

ROOT = Path(minivae.__file__).parent
BELOW = {"backend", "errors", "libraries", "memory"}
MAY_IMPORT = {
    "autodiff": BELOW,
    "compiler": {*BELOW, "autodiff"},
    "gradcheck": {*BELOW, "autodiff"},
    "distributions": {*BELOW, "autodiff"},
    "nn": {*BELOW, "autodiff", "state"},
    "optim": {*BELOW, "autodiff", "compiler", "state"},
}
# What a gradient passes through, from the tensor to backward; beside it are the tables of operations, the words of
# the refusals, the transformations of functions, and what hooks in (anomaly).
ENGINE = ("modes", "primitives", "tensor", "tape", "versions", "backward")


def imported_rooms(path):
    """The rooms of minivae that a file imports from."""
    depth = len(path.relative_to(ROOT).parts)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level == depth:
            yield from [node.module.split(".")[0]] if node.module else [alias.name for alias in node.names]


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_from_those_below_it(room):
    paths = [*(ROOT / room).rglob("*.py")]
    found = {name for path in paths for name in imported_rooms(path)}
    assert paths
    assert found <= MAY_IMPORT[room]


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
