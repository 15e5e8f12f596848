"""Both libraries compute the same convolutions at any size; memory is that of the steps alone; what is written."""

from importlib.util import find_spec

import pytest

from benchmarks import cliffs, images, report, targets
from benchmarks.images import ROWS, Memory, Session
from benchmarks.worker import Remote, WorkerError

torch = pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch is not installed")


@torch
@pytest.mark.parametrize("threads", [None, 1])
def test_both_compute_every_row(threads):
    with Remote(Session, threads, True) as remote:
        for name, row in ROWS.items():
            found = remote.call("compare", name, True)
            assert found["size"] == row.quick_size
            assert found["ratio"]["samples"] == cliffs.QUICK_PAIRS[0]
        assert remote.call("describe")["torch_threads"] == 1


@pytest.mark.skipif(not images.PEAK.exists(), reason="Linux alone tells")
def test_memory_grows_with_the_images():
    """At least by the gradient of the images and the result: 4 and 100 of 32 and of 64 channels of 14 x 14."""
    with Remote(Memory, False) as remote:
        few = remote.call("taken", "convolution", True)
    with Remote(Memory, False) as remote:
        many = remote.call("taken", "convolution", False)
    assert 0 <= few < many
    assert many > 96 * 96 * 14 * 14 * 4 / 2**20 / 2


def test_a_run_is_told_written_and_judged(monkeypatch, capsys):
    one = {"median": 2.0, "lower": 1.0, "upper": 3.0, "samples": 5}
    row = {"size": 100, "minivae": one, "torch": one, "ratio": one}
    found = {"wall": False, "rows": dict.fromkeys(ROWS, row), "recordings": {}, "memory": {"minivae": 20, "torch": 9.0}}
    found |= {"versions": {"numpy": "2"}, "threads": 1, "torch_threads": 1}
    lines, title = list(report._images(found)), ROWS["convolution"].title()
    assert f"| {title} | 2,000 | 2,000 | 2.00 | 1.00 to 3.00 | 5 |" in lines
    assert "| PyTorch | 9 |" in lines
    verdicts = [v for v in targets.judge({"images": found}) if v.ratio is not None]
    assert [(v.ratio, v.word) for v in verdicts] == [(2.0, "missed")] * len(ROWS)


def test_the_command_tells_of_a_failure(monkeypatch, capsys):
    def fail(*_):
        raise WorkerError("the two differ", "Traceback\n")

    monkeypatch.setattr(images, "run", fail)
    assert images.main(["--quick"]) == 1
    assert capsys.readouterr().err == "Traceback\npython -m benchmarks.images: the two differ\n"
