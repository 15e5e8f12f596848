"""Every format is written, read and timed; rates are compared among equal shapes alone."""

import json
from statistics import median

import numpy as np
import pytest

from benchmarks import data, report, targets
from minivae import datasets

IMAGES = np.random.default_rng(0).integers(256, size=(20, 5, 4), dtype=np.uint8)
FORMATS = 9


def test_every_format_holds_the_images(tmp_path):
    files = data.write_files(tmp_path, IMAGES)
    assert len(files) == FORMATS
    for name, path in files.items():
        read = datasets.load(path, split=None if "two parts" in name else "contiguous")
        found = np.concatenate([read.train.images, read.test.images])
        np.testing.assert_array_equal(found, IMAGES.reshape(20, -1), err_msg=name)


def test_a_short_look_has_the_digits_and_every_format(monkeypatch):
    monkeypatch.delenv("MINIVAE_DATA", raising=False)
    monkeypatch.setattr(data, "QUICK_ROUNDS", 2)
    lines = []
    found = data.run(True, lines.append)
    sets = found["sets"]
    assert {"digits", data.MAPPED, "folder of PNGs"} <= set(sets)
    assert sum(one["shape"] == "180 x 784" for one in sets.values()) == FORMATS
    assert all(one["seconds"]["samples"] == 2 and 0 < one["rate"] <= 1 for one in sets.values())
    assert len(lines) == len(sets)
    assert found["threads"] == 1


def test_rates_are_those_of_a_round_and_over_the_fastest_of_a_shape():
    """A slow round slows all alike, and changes no rate."""
    shapes = {"a": "1 x 2", "b": "1 x 2", "c": "1 x 2", "d": "3 x 4"}
    pace = np.array([1.0, 5.0, 2.0])
    found = data.judged(shapes, {name: (pace * k).tolist() for name, k in zip("abcd", (2, 1, 1.25, 9), strict=True)})
    assert {name: one["rate"] for name, one in found.items()} == pytest.approx({"a": 0.5, "b": 1, "c": 0.8, "d": 1})
    assert found["a"]["seconds"]["median"] == median(pace * 2)


def measured(rates):
    seconds = {"median": 1e-5, "lower": 5e-6, "upper": 2e-5, "samples": 7}
    sets = {f"{shape} 0": {"shape": shape, "seconds": seconds, "rate": rate} for shape, rate in rates}
    return {"sets": sets, "versions": {"minivae": "0"}, "threads": 1}


def test_the_targets_are_for_shapes_that_several_have():
    found = measured([("60000 x 784", 1.0)])
    found["sets"]["other"] = {**found["sets"]["60000 x 784 0"], "rate": 0.8}
    judged = {v.target.what: v for v in targets.judge({"data": found})}
    assert judged["binarized MNIST and MNIST, a sample of the slower"].ratio == pytest.approx(1.25)
    assert judged["any file format, a sample of the slowest"].word == "not measured"


def test_the_table_says_what_was_measured():
    lines = list(report._data(measured([("1 x 2", 0.5)])))
    assert "| 1 x 2 0 | 1 x 2 | 100,000 | 50,000 to 200,000 | 0.50 | 7 |" in lines
    assert lines[-1] == "Versions: minivae 0. Threads of NumPy's BLAS: 1."


def test_the_committed_results_hold_every_named_data_set():
    sets = json.loads((report.RESULTS / "data.json").read_text())["data"]["sets"]
    assert set(datasets.names()) < set(sets)
    assert len(sets) == len(datasets.names()) + FORMATS
