"""A command that is stopped says so in one line, wherever the signal falls from the package's first line on."""

import os
import re
import signal
import subprocess
import sys
import time
from itertools import cycle
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks Linux which signals are caught")
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
SECONDS = (0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1.0)  # importing takes a quarter of a second
SCRIPT = "import sys\nfrom minivae.cli import main\nsys.exit(main())\n"
STATE = "[signal.getsignal(number) for number in (1, 2, 15)]"
ENTRIES = {"script": ("./minivae",), "module": ("-m", "minivae"), "attached": ("-W", "error", "-mminivae")}


@pytest.fixture
def start(tmp_path):
    """Starts Python with these words in a folder that holds the script of the command."""
    (tmp_path / "minivae").write_text(SCRIPT)
    root = str(Path(__file__).parents[2])
    options = {"cwd": tmp_path, "env": {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": root}, "text": True}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    usual = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}  # it is ignored under nohup
    return lambda *words, **others: subprocess.Popen(
        [sys.executable, *words], **{**options, **pipes, **usual, **others}
    )


def caught(process, number):
    """Whether a process has an answer of its own to a signal."""
    mask = re.search(r"SigCgt:\s*(\w+)", Path(f"/proc/{process.pid}/status").read_text())
    return bool(mask and int(mask[1], 16) >> (number - 1) & 1)


def stopped(process, number, seconds):
    """How it ends if the signal comes so long after its first line, which answers SIGTERM; Python itself does not."""
    with process:
        try:
            while process.poll() is None and not caught(process, signal.SIGTERM):
                time.sleep(0.001)
            time.sleep(seconds)
            process.send_signal(number)
            _, said = process.communicate(timeout=60)
        finally:
            process.kill()
    return process.returncode, said


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_signal_at_any_moment_is_one_line(start, entry):
    words = ("train", "--epochs", "1000000", "--hidden", "8", "--latent", "2", "--out")
    for seconds, (number, code) in zip(SECONDS, cycle(CODES.items()), strict=False):
        returned, said = stopped(start(*ENTRIES[entry], *words, str(seconds)), number, seconds)
        assert (seconds, returned) == (seconds, code), said
        assert re.fullmatch(r"minivae( train)?: interrupted(; go on with .*)?\n", said), (seconds, said)


@pytest.mark.parametrize("number", CODES)
def test_at_the_first_line_nothing_is_imported_yet(start, number):
    assert stopped(start("-m", "minivae", "models"), number, 0) == (CODES[number], "minivae: interrupted\n")


@pytest.mark.parametrize("number", CODES)
def test_a_signal_inside_exec_does_not_change_the_exit_code(start, tmp_path, number):
    """As data classes and named tuples are made of text."""
    (tmp_path / "own.py").write_text(f"exec('import signal; signal.raise_signal({int(number)})')")
    with start("-m", "minivae", "train", "--model", "own.py:Model") as process:
        assert process.communicate() == ("", "minivae: interrupted\n")
    assert process.returncode == CODES[number]


@pytest.mark.parametrize("words", [("-c",), ("minivae_program",)])
def test_a_program_that_imports_the_package_keeps_its_own_answers(start, tmp_path, words):
    code = f"import signal; before = {STATE}; import minivae.cli; print(before == {STATE})"
    (tmp_path / "minivae_program").write_text(code)
    with start(*words, *([code] if words == ("-c",) else []), "minivae") as process:
        assert process.communicate() == ("True\n", "")


def test_an_ignored_signal_stays_ignored(start):
    """As ``nohup`` has it; the others are answered."""
    ignoring = {"preexec_fn": lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)}
    process = start("-m", "minivae", "train", "--epochs", "1000000", "--hidden", "8", "--out", "run", **ignoring)
    while process.poll() is None and not caught(process, signal.SIGTERM):
        time.sleep(0.001)
    process.send_signal(signal.SIGHUP)
    assert stopped(process, signal.SIGTERM, 0.1)[0] == 143
