"""Paths, links, modules and names in the pages lead somewhere."""

from __future__ import annotations

import importlib
import importlib.util
import re
from functools import reduce
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "benchmarks/*.md", "tests/*.md", "examples/**/*.md")
    for path in ROOT.glob(pattern)
)
EVERY_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
MADE = ("priced_vae", "half_logistic", "scaled")  # by the recipes of CONTRIBUTING.md


def text_of(page: Path) -> str:
    """Without what a change log says of the past, and the code of recipes."""
    text = page.read_text(encoding="utf-8")
    if page.name == "CHANGELOG.md":
        text = re.sub(r"^\| [^|]+ \|", "|", text, flags=re.MULTILINE)
    return text


def test_there_are_pages():
    assert len(PAGES) >= 10


@EVERY_PAGE
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\((?!https?:)([^)#\s]+)(?:#[^)]*)?\)", text_of(page)):
        assert (page.parent / target).exists(), target


@EVERY_PAGE
def test_files_are_there(page):
    rooms = "minivae|tests|examples|benchmarks|docs|.ci"
    for path in re.findall(rf"(?<![\w/.])((?:{rooms})/[\w./]*\w\.(?:py|md|txt|json|csv|npz))\b", text_of(page)):
        assert any(made in path for made in MADE) or (ROOT / path).exists(), path
    for folder in re.findall(rf"`((?:{rooms})/[\w/]+/?)`", text_of(page)):
        assert (ROOT / folder).exists(), folder


@EVERY_PAGE
def test_commands_name_modules_and_files_that_are_there(page):
    for module in re.findall(r"python -m ((?:tests|benchmarks|minivae)[\w.]*\w)", text_of(page)):
        assert importlib.util.find_spec(module), module
    for words in re.findall(r"python -m pytest ([^`\n#]*)", text_of(page)):
        for path in re.findall(r"(?:tests)/[\w./]+", words):
            assert any(made in path for made in MADE) or (ROOT / path).exists(), path


# Words that have stood for something that has another, and how they stood.
OLD_WORDS = {
    r"(?i)\bfeeds?\b": "minibatches",
    r"backend=LIBRARIES|library: where": "backend",
    r"\bobjective: Phase\b|\(objective,\) =|\bobjective\.(loss|parameters|terms)\b": "phase",
    r"(?i)\b(the|its|own|arrays?'s?|numpy's|cupy's) namespace\b": "backend",
}


def test_one_thing_has_one_word():
    files = [path for room in ("minivae", "tests", "benchmarks", "examples") for path in (ROOT / room).rglob("*.py")]
    found = [
        f"{path.relative_to(ROOT)}: {old[0]}, which is a {word}"
        for path in (*files, *PAGES)
        if path != Path(__file__)
        for pattern, word in OLD_WORDS.items()
        for old in re.finditer(pattern, text_of(path))
    ]
    assert found == []


def test_what_lies_at_the_top_of_the_tests_is_in_their_page():
    page = text_of(ROOT / "tests" / "README.md")
    there = {path.name for path in (ROOT / "tests").glob("*.py")} - {"__init__.py"}
    assert {name for name in there if f"`{name}`" not in page} == set()


@EVERY_PAGE
def test_names_of_the_package_are_there(page):
    for name in re.findall(r"`(?:import )?(minivae(?:\.\w+)+)", text_of(page)):
        parts = name.split(".")[1:]
        try:
            reduce(getattr, parts, importlib.import_module("minivae"))
        except AttributeError:  # of a module that nobody has imported yet, or of what it holds
            try:
                importlib.import_module(name)
            except ModuleNotFoundError:
                module, _, last = name.rpartition(".")
                assert hasattr(importlib.import_module(module), last), name
