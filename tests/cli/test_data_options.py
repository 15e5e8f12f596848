"""How data are read, from the command line: the options, kept in the run; what was assumed, said and written."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from minivae.runs import Run

QUICK = ("--epochs", 1, "--hidden", 8, "--out", "run")
CLASS = np.arange(30) % 3


@pytest.fixture
def images(rng):
    """Thirty of 8 x 6."""
    return rng.integers(256, size=(30, 8, 6), dtype=np.uint8)


@pytest.mark.usefixtures("no_figures")
def test_what_was_assumed_is_said_in_one_line_and_written(cli, tmp_path, images):
    np.savez("own.npz", X=images, y=np.array(["cat", "dog", "eel"])[CLASS], rate=3.0)
    said = cli("train", "--data", "own.npz", *QUICK)
    first = said.out.splitlines()[0]
    for words in ("30 points of 8 x 6 from X", "values from 0 to 255", "cat, dog, eel", "passed over: 'rate' ()"):
        assert words in first
    account = json.loads((tmp_path / "run" / "config.json").read_text())["dataset"]["account"]
    assert account["classes"] == ["cat", "dog", "eel"]
    said = cli("train", "--data", "own.npz", *QUICK[:-1], "other", "--json")
    assert said.json["account"] == account


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        (("--array", "b"), {"array": "b"}),
        (("--array", "c", "--points-axis", 2), {"array": "c", "points_axis": 2}),
        (("--array", "b", "--labels", "kind"), {"labels": "kind"}),
        (("--array", "b", "--labels", "none"), {"labels": "none"}),
        (("--array", "b", "--validation", 0.2), {"validation": 0.2}),
    ],
)
@pytest.mark.usefixtures("no_figures")
def test_a_run_keeps_how_its_data_are_read(cli, images, options, kept):
    np.savez("own.npz", b=images, c=np.moveaxis(images, 0, 2), kind=CLASS)
    assert cli("train", "--data", "own.npz", *QUICK, *options).code == 0
    assert Run.open("run").config["options"].items() >= kept.items()
    assert cli("evaluate", "run", "--importance-samples", 2).code == 0
    assert cli("train", "--resume", "run", "--epochs", 2).code == 0
    refused = cli("train", "--resume", "run", "--epochs", 3, "--array", "other")
    assert (refused.code, "--array is 'other'" in refused.err) == (2, True)


@pytest.mark.usefixtures("no_figures")
def test_labels_from_a_file_of_their_own(cli, tmp_path, images, monkeypatch):
    np.save("own.npy", images)
    np.savetxt("kinds.txt", CLASS, fmt="%d")
    assert cli("train", "--model", "cvae", "--data", "own.npy", "--labels", "kinds.txt", *QUICK).code == 0
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert cli("evaluate", "../run", "--importance-samples", 2).code == 0


@pytest.mark.usefixtures("no_figures")
@pytest.mark.parametrize("sign", list(",;|\t"))
def test_a_table_is_no_file_of_labels_and_a_label_may_have_a_comma_in_it(cli, images, sign):
    """(Its lines would be the names of classes.)"""
    np.save("own.npy", images)
    for head in ("id,kind\n", ""):
        Path("kinds.csv").write_text((head + "".join(f"{k},{k % 2}\n" for k in CLASS)).replace(",", sign))
        refused = cli("train", "--data", "own.npy", "--labels", "kinds.csv", *QUICK)
        assert (refused.code, "whose lines have 2 fields; expected a label each" in refused.err) == (2, True)
    for names in (["a", f"b{sign}c", "d"], [f'"x{sign}y"', f'"u{sign}v"']):
        Path("kinds.txt").write_text("".join(f"{names[k % len(names)]}\n" for k in CLASS))
        outcome = cli("train", "--data", "own.npy", "--labels", "kinds.txt", *QUICK, "--out", f"run{len(names)}")
        assert outcome.code == 0, outcome.err
        assert f"labels: {len(names)} classes" in outcome.out


@pytest.mark.usefixtures("no_figures")
def test_a_validation_part_of_a_set_with_a_name(cli):
    said = cli("train", "--validation", 0.1, *QUICK)
    assert "1350 training, 150 validation and 297 test points" in said.out
    refused = cli("train", "--validation", 1, *QUICK)
    assert (refused.code, "expected a number between 0 and 1" in refused.err) == (2, True)
    refused = cli("train", "--array", "x", *QUICK)
    assert "array is 'x', but digits is a set with a name" in refused.err


@pytest.mark.parametrize("latent", [2, 3])
def test_colour_pictures_go_through_every_figure_in_colour(cli, tmp_path, images, latent):
    (tmp_path / "photos").mkdir()
    for i, image in enumerate(images):
        Image.fromarray(np.stack([image, 255 - image, image // 2], axis=-1)).save(tmp_path / "photos" / f"{i}.png")
    assert cli("train", "--data", "photos", *QUICK, "--latent", latent, "--size", "6x6").code == 0
    for name in ("samples", "reconstructions", *(["manifold"] if latent == 2 else [])):
        picture = np.asarray(Image.open(tmp_path / "run" / f"{name}.png").convert("RGB")).astype(int)
        assert np.ptp(picture, axis=2).max() > 50  # some pixel is no grey
    assert cli("sample", "run", "-n", 2, "--out", "drawn.npy").code == 0
    assert np.load("drawn.npy").shape == (2, 108)


@pytest.mark.parametrize("size", ["8", "8x", "x8", "8x8x3", "8*8", "-1x8"])
def test_a_size_that_is_none_is_refused(cli, size):
    refused = cli("train", "--data", "photos", f"--size={size}")
    assert (refused.code, "expected HxW" in refused.err) == (2, True)


@pytest.mark.parametrize("again", [False, True])
def test_the_legend_of_the_codes_has_the_names_of_the_classes(cli, monkeypatch, rng, again):
    """By training, and by drawing anew."""
    from minivae.plots import run as plots

    called = []
    drawn = plots.latent_scatter
    monkeypatch.setattr(plots, "latent_scatter", lambda *a, **k: called.append(k["class_names"]) or drawn(*a, **k))
    rows = [f"{x},{y},{'abc'[i % 3]}" for i, (x, y) in enumerate(rng.normal(size=(40, 2)))]
    Path("t.csv").write_text("\n".join(["height,width,class", *rows]))
    words = (
        "--data",
        "t.csv",
        "--hidden",
        4,
        "--latent",
        2,
        "--epochs",
        1,
        "--batch-size",
        8,
        "--out",
        "run",
        "--quiet",
    )
    assert cli("train", *words).code == 0
    if again:
        assert cli("plot", "run").code == 0
    assert [tuple(names) for names in called] == [("a", "b", "c")] * (1 + again)


def test_a_run_reads_its_table_as_it_was_said_to(cli, tmp_path, rng):
    """``--header`` is kept by the run: what evaluates or resumes it reads the same names and rows."""
    rows = rng.poisson(3, (40, 3))
    (tmp_path / "x.csv").write_text("\n".join(["2019,2020,2021", *(",".join(map(str, row)) for row in rows.tolist())]))
    small = ("--latent", 2, "--hidden", 8, "--epochs", 1, "--data", "x.csv")
    assert "expected --header or --no-header" in cli("train", *small, "--out", "r").err
    for option, points in (("--header", 40), ("--no-header", 41)):
        assert cli("train", *small, "--out", f"r{points}", option).code == 0
        assert cli("encode", f"r{points}", "--out", "codes.npy").code == 0
        assert len(np.load("codes.npy")) == points
    config = json.loads((tmp_path / "r40" / "config.json").read_text())
    assert config["options"]["header"] is True
    assert config["dataset"]["columns"] == ["2019", "2020", "2021"]


def test_what_is_damaged_is_in_the_run_and_in_json(cli, tmp_path, rng):
    (tmp_path / "pictures").mkdir()
    for i in range(12):
        Image.fromarray(rng.integers(256, size=(6, 5), dtype=np.uint8)).save(tmp_path / "pictures" / f"{i}.png")
    (tmp_path / "pictures" / "3.png").write_bytes(b"")
    said = cli("train", "--data", "pictures", "--latent", 2, "--hidden", 8, "--epochs", 1, "--out", "r", "--json")
    account = said.json["account"]
    assert account["passed_over"] == ["1 damaged (3.png)"]
    assert json.loads((tmp_path / "r" / "config.json").read_text())["dataset"]["account"] == account


def test_labels_that_are_missing_are_learnt_from_by_m2_alone(cli, tmp_path, rng):
    """In a table, where a cell is empty: in every command on the run, and in its pictures."""
    kinds = np.where(np.arange(60) % 3 == 0, "", np.array(["cat", "dog"])[np.arange(60) % 2])
    rows = [f"{a:.3f},{b:.3f},{kind}" for (a, b), kind in zip(rng.normal(size=(60, 2)), kinds, strict=True)]
    (tmp_path / "x.csv").write_text("\n".join(["a,b,kind", *rows]))
    small = ("--latent", 2, "--hidden", 8, "--epochs", 1, "--data", "x.csv", "--labels", "kind", "--batch-size", 10)
    said = cli("train", *small, "--model", "m2", "--out", "run")
    assert said.code == 0, said.err
    assert "2 classes (20 of 60 are missing) from 'kind' (cat, dog)" in said.out
    assert (tmp_path / "run" / "reconstructions.png").exists()
    assert cli("encode", "run", "--out", "codes.npz").code == 0
    codes, model = np.load("codes.npz"), Run.open("run").load_model()
    np.testing.assert_array_equal(codes["label"], [[0, 1][i % 2] if i % 3 else -1 for i in codes["row"]])
    likeliest = np.where(codes["label"] < 0, codes["probability"].argmax(1), codes["label"])
    x = np.loadtxt("x.csv", delimiter=",", skiprows=1, usecols=(0, 1))[codes["row"]]
    np.testing.assert_allclose(codes["mean"], model.encode(x, np.eye(2)[likeliest]).numpy(), rtol=1e-5, atol=1e-6)
    for words in (
        ("reconstruct", "run", "--out", "r.csv"),
        ("interpolate", "run", 0, 1, "--out", "i.png"),
        ("plot", "run"),
    ):
        assert cli(*words).code == 0
    measured = json.loads(cli("evaluate", "run", "--part", "all", "--points", 50, "--json").out)
    assert measured["points"] == 40  # those of which log p(x|y) can be asked
    assert "missing label" in cli("evaluate", "run", "--part", "all", "--rows", "rows.csv").err
    assert "of 54 labels are missing (-1); expected one for each" in cli("train", *small, "--model", "cvae").err
    assert cli("train", *small, "--model", "vae", "--out", "vae").code == 0


def test_m2_says_what_data_without_labels_are(cli, tmp_path, rng):
    np.savez("own.npz", X=rng.normal(size=(60, 3)), y=np.arange(60) % 2)
    small = ("--latent", 2, "--hidden", 8, "--epochs", 1, "--data", "own.npz", "--batch-size", 10)
    assert cli("train", *small, "--model", "m2", "--out", "run").code == 0
    np.save("new.npy", rng.normal(size=(7, 3)))
    assert cli("encode", "run", "--data", "new.npy", "--out", "codes.npz").code == 0
    assert np.load("codes.npz")["probability"].shape == (7, 2)
    said = cli("evaluate", "run", "--data", "new.npy")
    assert "log p(x|y)   is not there: 0 of the points have a label" in said.out


@pytest.mark.usefixtures("no_figures")
def test_some_labels_are_kept(cli):
    small = ("--model", "m2", "--hidden", 8, "--epochs", 1, "--quiet")
    assert cli("train", *small, "--labelled", 30, "--out", "run").code == 0
    run = Run.open("run")
    assert float(run.load_model().share) == pytest.approx(0.02)
    assert cli("encode", "run", "--part", "train", "--out", "codes.npz").code == 0
    labels = np.load("codes.npz")["label"]
    assert np.bincount(labels[labels >= 0]).tolist() == [3] * 10
    assert "30" in str(run.config["dataset"]["account"]["labelled"])
    refused = cli("train", *small, "--labelled", 31, "--out", "other")
    assert "labelled is 31; expected a multiple of the 10 classes" in refused.err
