"""The mutation check: mutants are what they say, and a sample of them is killed."""

import ast
import json
import shutil
import subprocess
import sys
from collections import Counter

import pytest

from .mutants import EQUIVALENT, STOPPED, mutants_of
from .mutation import (
    NOT_YET,
    OUTCOMES,
    RESULTS,
    ROOT,
    TARGETS,
    LikeliestFirst,
    all_mutants,
    names_around,
    outcome,
    run_tests,
    stages_of,
    without_effect,
)

RULES = b"""
square = row("square", lambda g, y, x: g * x * 2)  # \xce\xbe
subtract = row("subtract", lambda g, y, a, b: g, lambda g, y, a, b: -g)


def log_prob(x):
    return sum(x * logits - softplus(logits), axis=-1)


def propagate(contribution, x):
    if contribution.shape != x.shape:
        contribution = sum_to(contribution, x.shape)
    if x.size < 0:
        raise InputError(f"{x.size + 1} is " + "no size")
    return contribution
"""


def changes(source):
    return {(m.line, m.before, m.after) for m in mutants_of("file.py", source)}


def test_every_kind_of_mutant_is_made():
    assert changes(RULES) == {
        (2, "g * x * 2", "-(g * x * 2)"),
        (2, "g * x * 2", "g * x"),
        (2, "g * x * 2", "2"),
        (2, "g * x", "g"),
        (2, "g * x", "x"),
        (3, "g", "-g"),
        (3, "-g", "g"),
        (7, "sum(x * logits - softplus(logits), axis=-1)", "x * logits - softplus(logits)"),
        (7, "x * logits - softplus(logits)", "x * logits"),
        (7, "x * logits - softplus(logits)", "x * logits + softplus(logits)"),
        (7, "x * logits", "x"),
        (7, "x * logits", "logits"),
        (7, "softplus(logits)", "logits"),
        (12, "sum_to(contribution, x.shape)", "contribution"),
    }


def test_a_sum_loses_each_of_its_terms_a_power_its_exponent_a_quotient_its_divisor():
    found = changes(b"y = a + b ** 2 / c")
    assert {after for _, before, after in found if "+" in before} == {"a", "b ** 2 / c", "a - b ** 2 / c"}
    assert {(before, after) for _, before, after in found if "+" not in before} == {
        ("b ** 2 / c", "b ** 2"),
        ("b ** 2", "b"),
    }


LOSS = b"""
def loss(self, x):
    z = self.noise(q, samples) * 0.5
    total += mean(z, axis=0) / x.shape[0]
    return self.bound(z, axis=(-2, -1)) + total
"""


def test_mutants_of_what_losses_are_made_of():
    found = {(m.before, m.after) for m in mutants_of("minivae/models/file.py", LOSS)}
    assert found - {(m.before, m.after) for m in mutants_of("file.py", LOSS)} == {
        ("self.noise(q, samples) * 0.5", "stopped_gradient(self.noise(q, samples) * 0.5)"),
        ("0.5", "1.0"),
        ("samples", "1"),
        ("mean(z, axis=0) / x.shape[0]", "0 * (mean(z, axis=0) / x.shape[0])"),
        ("0", "-1"),
        ("x.shape[0]", "x.shape[-1]"),
        ("(-2, -1)", "-2"),
        ("(-2, -1)", "-1"),
        ("self.bound(z, axis=(-2, -1)) + total", "stopped_gradient(self.bound(z, axis=(-2, -1)) + total)"),
        ("self.bound(z, axis=(-2, -1))", "stopped_gradient(self.bound(z, axis=(-2, -1)))"),
        ("total", "stopped_gradient(total)"),
    }


STOPS = """
from minivae.autodiff import grad, no_grad, tensor
from minivae.models.file import square

def test_value():
    assert {value}

def test_gradient():
    assert {gradient}
"""
VALUE, GRADIENT = "square(tensor(3.0)).item() == 9.0", "grad(square)(3.0).item() == 6.0"
NOT_RECORDED = "no_grad(square)(tensor(3.0, requires_grad=True)).item() == 9.0"


@pytest.mark.parametrize(
    ("gradient", "expected"),
    [
        *((GRADIENT, "killed"), ("True", "without effect"), (NOT_RECORDED, "without effect")),
        ("grad(square)(3.0).shape == ()", "survived"),
    ],
)
def test_a_stopped_gradient_that_no_test_has_is_without_effect(tmp_path, gradient, expected):
    source = b"def square(x):\n    return x * x\n"
    shutil.copytree(ROOT / "minivae", tmp_path / "minivae", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "minivae" / "models" / "file.py").write_bytes(source)
    (tmp_path / "test_file.py").write_text(STOPS.format(value=VALUE, gradient=gradient))
    (mutant,) = (m for m in mutants_of("minivae/models/file.py", source) if STOPPED in m.after)
    assert outcome(tmp_path, mutant, ["test_file.py"]) == expected


@pytest.mark.release
def test_one_run_tells_which_stops_have_no_gradient_to_stop(tmp_path):
    """Nested expressions, those that begin or end together among them."""
    source = b"def square(x):\n    y = x * 1.0 + 0.0\n    size = y.data + y.data\n    return y * y + 0.0 * size\n"
    shutil.copytree(ROOT / "minivae", tmp_path / "minivae", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "minivae" / "models" / "file.py").write_bytes(source)
    (tmp_path / "test_file.py").write_text(STOPS.format(value=VALUE, gradient=GRADIENT))
    stops = [m for m in mutants_of("minivae/models/file.py", source) if STOPPED in m.after]
    idle = without_effect(tmp_path, stops, ["test_file.py"])
    assert [m.before for m in idle] == ["y.data + y.data", "y.data", "y.data", "0.0 * size"]
    assert [m for m in stops if outcome(tmp_path, m, ["test_file.py"]) == "without effect"] == idle
    assert (tmp_path / "minivae" / "models" / "file.py").read_bytes() == source


def test_a_mutant_changes_its_expression_alone():
    for mutant in mutants_of("file.py", RULES):
        changed = mutant.apply(RULES)
        assert RULES[mutant.start : mutant.end].decode() == mutant.before
        assert changed == RULES[: mutant.start] + b"(" + mutant.after.encode() + b")" + RULES[mutant.end :]
        assert ast.dump(ast.parse(changed)) != ast.dump(ast.parse(RULES))


def test_every_target_has_mutants_and_tests():
    mutants = all_mutants(ROOT, TARGETS)
    for target in TARGETS:
        paths = {m.path for m in mutants if m.path.startswith(target)}
        assert paths, target
        assert all(stages_of(path) for path in paths)


NOW = Counter(m.path for m in all_mutants(ROOT, TARGETS))


@pytest.mark.release
def test_every_file_has_been_tested():
    missing = NOW.keys() - json.loads(RESULTS.read_text())["files"].keys()
    assert missing == {*NOT_YET}, f"run  python -m tests.tools.mutation {' '.join(sorted(missing))}"


@pytest.mark.slow  # not to have to test a formula's mutants each time that one is changed
@pytest.mark.parametrize("path", sorted(NOW))
def test_every_mutant_of_a_file_has_been_tested(path):
    row = json.loads(RESULTS.read_text())["files"][path]
    tested = sum(row.get(result, 0) for result in OUTCOMES)
    assert tested == NOW[path], f"the file has changed; run  python -m tests.tools.mutation {path}"


def test_no_mutant_survived_when_its_file_was_last_tested():
    results = json.loads(RESULTS.read_text())
    assert {path: row["survivors"] for path, row in results["files"].items() if row["survivors"]} == {}
    assert results["total"]["killed"] == sum(row["killed"] for row in results["files"].values()) > 0


@pytest.mark.slow
def test_a_sample_of_mutants_is_killed():
    command = [sys.executable, "-m", "tests.tools.mutation", "--sample", "10"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert run.returncode == 0, run.stdout + run.stderr


ORDERED = """
import pytest

@pytest.mark.parametrize("name", ["beta", "gamma"])
def test_density(name):
    assert name != {fails!r}

def test_gamma_is_positive():
    pass
"""


def order(folder, capfd, plugin, fails=""):
    """Which tests run, in their order, and whether one fails."""
    (folder / "test_order.py").write_text(ORDERED.format(fails=fails))
    code = run_tests(folder, ["-vv", "test_order.py"], [plugin])
    lines = [line.split() for line in capfd.readouterr().out.splitlines()]
    return code, [words[0].partition("::")[2] for words in lines if len(words) > 1 and words[1] in ("PASSED", "FAILED")]


def test_tests_by_the_name_of_what_is_changed_and_those_that_have_found_mutants_come_first(tmp_path, capfd):
    source = b"x = 1\nclass Gamma:\n    def _mean(self):\n        return x\n"
    assert [names_around(source, line) for line in (1, 2, 4)] == [["x"], ["Gamma"], ["Gamma", "mean"]]
    gamma, others = ["test_density[gamma]", "test_gamma_is_positive"], ["test_density[beta]"]
    plugin = LikeliestFirst(tmp_path / "finders", names_around(source, 4))
    assert order(tmp_path, capfd, plugin) == (0, gamma + others)
    assert order(tmp_path, capfd, plugin, fails="beta") == (1, gamma + others)
    assert order(tmp_path, capfd, plugin) == (0, others + gamma)


def test_what_computes_the_same_is_of_files_that_are_there():
    assert {path for path, *_ in EQUIVALENT if not (ROOT / path).exists()} == set()
