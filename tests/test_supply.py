"""What minivae stands on: its oldest versions are those that are tested, and nothing in it warns."""

from __future__ import annotations

import configparser
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import minivae

ROOT = Path(__file__).resolve().parents[1]


# What those that are here can be tested with; CuPy needs a GPU, and "oracle" has one version.
TESTED_EXTRAS = ("fast", "hdf5", "safetensors", "sklearn", "tensorboard")


def versions(lines: list[str], sign: str) -> dict[str, tuple[int, ...]]:
    """The versions behind a sign, by package; 1.2.0 is 1.2."""
    found = {}
    for name, version in re.findall(rf"^([\w-]+){sign}([\d.]+)$", "\n".join(lines), re.MULTILINE):
        numbers = [int(part) for part in version.split(".")]
        while numbers[-1] == 0:
            numbers.pop()
        found[name] = tuple(numbers)
    return found


def test_the_oldest_versions_that_are_tested_are_the_lower_bounds():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    extras = config["options.extras_require"]
    promised = [*config["options"]["install_requires"].split(), *(extras[name] for name in TESTED_EXTRAS)]
    bounds = versions(promised, ">=")
    assert len(bounds) == len(promised)
    assert versions((ROOT / ".ci" / "oldest.txt").read_text(encoding="utf-8").splitlines(), "==") == bounds


def test_every_module_is_imported_and_a_model_is_trained_without_a_warning(tmp_path):
    modules = [m.name for m in pkgutil.walk_packages(minivae.__path__, "minivae.") if not m.name.endswith("__main__")]
    assert len(modules) > 100
    code = (
        "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]; "
        "from minivae import cli; sys.exit(cli.main(['train', '--epochs', '1', '--hidden', '8', '--out', 'run']))"
    )
    command = [sys.executable, "-W", "error", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {code}", *modules]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "learning_curve.png").is_file()


# ------------------------------------------------- what hosts and tools read

YAML = sorted([*(ROOT / ".github").rglob("*.yml"), ROOT / ".pre-commit-config.yaml", ROOT / "CITATION.cff"])


@pytest.mark.parametrize("path", YAML, ids=lambda path: path.name)
def test_it_is_yaml(path):
    yaml = pytest.importorskip("yaml")
    assert isinstance(yaml.safe_load(path.read_text(encoding="utf-8")), dict)


def test_the_host_runs_the_gate_on_every_python_that_is_promised():
    workflow = (ROOT / ".github" / "workflows" / "gate.yml").read_text(encoding="utf-8")
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    promised = re.findall(r"Python :: (3\.\d+)", config["metadata"]["classifiers"])
    assert re.findall(r'"(3\.\d+)"', workflow) == promised
    assert "- run: .ci/run\n" in workflow
    assert config["options"]["python_requires"] == f">={promised[0]}"


def test_the_pages_know_the_version():
    assert f"\nversion: {minivae.__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\n## {minivae.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
