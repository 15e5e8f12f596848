"""The practice's table in docs/gpu.md."""

import json

import pytest

from benchmarks.gpu import page
from benchmarks.gpu.runner import CHECKS


def test_a_row_says_how_a_check_ended():
    checks = {
        "device": {"state": "passed", "passed": 3, "left_out": {"show_config": "no\nanswer"}},
        "micro": {"state": "failed", "passed": 1, "failed": {"draws": "a | b " + 200 * "x"}, "why": "no time was left"},
    }
    lines = page.table({"checks": checks}).splitlines()
    assert lines[2].endswith("| passed | 3 | show_config: no answer |")
    assert lines[3].startswith("| `micro` |")
    assert "draws: a \\| b xxx" in lines[3]
    assert lines[3].endswith("x…; no time was left |")


@pytest.mark.release
def test_the_page_has_the_table_of_the_practice():
    whole = json.loads(page.PRACTICE.read_text(encoding="utf-8"))
    assert whole["emulated"]
    assert list(whole["checks"]) == list(CHECKS)
    assert f"{page.BEGIN}{page.table(whole)}{page.END}" in page.PAGE.read_text(encoding="utf-8")
