"""The bar fits where it is, and the rest of the package does not wait for it."""

from __future__ import annotations

import subprocess
import sys

import pytest

KERNEL = """
import sys, types
sys.modules["ipykernel.zmqshell"] = types.ModuleType("ipykernel.zmqshell")
sys.modules["IPython"] = types.SimpleNamespace(get_ipython=lambda: None)
sys.modules["ipywidgets"] = None
"""


@pytest.mark.parametrize("kernel", ["", KERNEL], ids=["terminal", "notebook without ipywidgets"])
def test_there_is_a_bar_and_no_warning(kernel):
    code = kernel + "from minivae.progress import progress_bar\nfor _ in progress_bar(iterable=[1]): pass"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "1/1" in done.stderr
    assert "Warning" not in done.stderr
