"""Bad data, options and output folders: one line on standard error, exit code 2, nothing written."""

import gzip
import importlib.util
import os
import struct
from pathlib import Path

import numpy as np
import pytest

from .conftest import SMALL

# --------------------------------------------------------------------- data

IMAGES = np.arange(40 * 16, dtype=np.uint8).reshape(40, 4, 4)
IDX = struct.pack(">HBB3I", 0, 8, 3, 40, 4, 4) + IMAGES.tobytes()


def saved(array, save=np.save, cut=None):
    """A function that writes an array, or its first bytes only."""

    def write(path):
        with open(path, "wb") as file:
            save(file, array)
        path.write_bytes(path.read_bytes()[:cut])

    return write


def content(data):
    """A function that writes bytes."""
    return lambda path: path.write_bytes(data)


def pngs(*shapes, cut=None):
    """A function that writes a folder of pictures, the last one cut."""
    from matplotlib.image import imsave

    def write(folder):
        folder.mkdir()
        for i, shape in enumerate(shapes):
            imsave(folder / f"{i}.png", np.zeros(shape))
        if cut is not None:
            last = folder / f"{len(shapes) - 1}.png"
            last.write_bytes(last.read_bytes()[:cut])

    return write


def matlab(cut=None):
    from scipy.io import savemat

    return saved({"images": IMAGES}, savemat, cut)


real = IMAGES.reshape(40, 16) / 100
FILES = {
    "missing": ("gone.npy", None, "expected a file or folder, and there is none"),
    "missing without a suffix": ("no/such/folder", None, "expected a file or folder, and there is none"),
    "empty": ("a.npy", content(b""), "empty"),
    "empty IDX": ("a-idx3-ubyte", content(b""), "empty"),
    "truncated .npy": ("a.npy", saved(IMAGES, cut=500), "promises 640 bytes"),
    "truncated header": ("a.npy", saved(IMAGES, cut=20), "not a whole .npy file"),
    "truncated .npz": ("a.npz", saved(IMAGES, np.savez, cut=500), "not a whole .npz file"),
    "truncated .mat": ("a.mat", matlab(cut=400), "not a whole MATLAB file"),
    "truncated IDX": ("a-idx3-ubyte", content(IDX[:-1]), "only 639"),
    "truncated IDX.gz": ("a.gz", content(gzip.compress(IDX)[:-9]), "not a whole IDX file"),
    "truncated PNG": ("a", pngs((4, 4), cut=60), "1 pictures of which 1 are damaged"),
    "wrong magic .npy": ("a.npy", content(b"<html>not found</html>"), "not a whole .npy file"),
    "wrong magic .npz": ("a.npz", content(b"<html>not found</html>"), "not a whole .npz file"),
    "wrong magic .mat": ("a.mat", content(b"<html>not found</html>"), "MATLAB"),
    "wrong magic IDX": ("a-idx3-ubyte", content(b"\0\0\x07\x03" + IDX[4:]), "magic"),
    "unknown format": ("a.doc", content(b"1 2 3\n4 5 6\n"), "unknown format"),
    "text": ("a.npy", saved(np.full((40, 16), "seven")), "type <U5"),
    "complex": ("a.npy", saved(real * 1j), "complex128"),
    "pickled": ("a.npy", saved(np.array([{"an": "object"}] * 4, object)), "pickled"),
    "NaN": ("a.npy", saved(np.where(real == real[3, 2], np.nan, real)), "nan in row 3, value 2"),
    "infinite": ("a.npy", saved(np.where(real == real[3, 2], -np.inf, real)), "-inf in row 3"),
    "beyond float32": ("a.npy", saved(real * 1e300), "float32"),
    "0 rows": ("a.npy", saved(IMAGES[:0]), "at least 2 rows"),
    "1 row": ("a.npy", saved(IMAGES[:1]), "at least 2 rows"),
    "no columns": ("a.npy", saved(IMAGES[:, :0]), "at least 1 value"),
    "a number": ("a.npy", saved(np.array(3.0)), "shape ()"),
    "mixed image sizes": ("a", pngs((4, 4), (4, 5)), "mixes image sizes"),
    "mixed parts": ("a.npz", lambda p: np.savez(p, train=IMAGES, test=IMAGES[:, 1:]), "differ in image size"),
    "a folder without pictures": ("a", Path.mkdir, "holds no picture"),
}


@pytest.mark.parametrize("case", FILES)
def test_data_that_cannot_be_used(refused, tmp_path, case):
    name, write, part = FILES[case]
    if write is not None:
        write(tmp_path / name)
    line = refused("train", "--data", name, *SMALL)
    assert part in line
    assert name in line


@pytest.mark.parametrize("words", [("--likelihood", "bernoulli"), ("--likelihood", "gaussian", "--sigmoid-mean")])
def test_values_outside_the_range_of_the_likelihood(refused, tmp_path, words):
    saved(real)(tmp_path / "a.npy")
    line = refused("train", "--data", "a.npy", *SMALL, *words)
    assert "0 to 2.55" in line
    assert "[0, 1]" in line


@pytest.mark.parametrize(("said", "nearest"), [("mnits", "mnist"), ("digit", "digits"), ("Frey", "frey")])
def test_an_unknown_data_set_names_the_nearest(refused, said, nearest):
    line = refused("train", "--data", said)
    assert repr(said) in line
    assert f"did you mean {nearest!r}?" in line


# ------------------------------------------------------------------ options

OPTIONS = [
    *[(("--latent", value), "at least 1") for value in (0, -2)],
    *[(("--hidden", *values), "at least 1") for values in ((0,), (10, -1))],
    *[(("--batch-size", value), "at least 1") for value in (0, -100)],
    *[(("--epochs", value), "at least 1") for value in (0, -1)],
    *[(("--samples", value), "at least 1") for value in (0, -1)],
    *[(("--lr", value), "finite number above 0") for value in (0, -0.1, "nan", "inf")],
    (("--patience", 0), "at least 1"),
    (("--seed", -1), "at least 0"),
    (("--batch-size", 1501), "only 1500 training rows"),
    (("--split", "random"), "its own train and test parts"),
    (("--sigmoid-mean",), "bernoulli"),
    (("--hidden", 2_000_000_000, 2_000_000_000), "memory"),
    (("--resume",), "names no run"),
    (("--resume", "nowhere"), "nowhere is not a run"),
    (("--resume", "a", "--out", "b"), "its own folder"),
]


@pytest.mark.parametrize(("words", "part"), OPTIONS, ids=lambda value: " ".join(map(str, value)))
def test_options_out_of_range(refused, words, part):
    line = refused("train", *words, "--json")
    assert part in line
    if words[0] not in ("--resume", "--sigmoid-mean") and part != "memory":
        assert words[0].removeprefix("--").replace("-", "_") in line
        assert str(words[-1]) in line


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_a_variance_of_zero(refused, likelihood):
    """Zero is no way to leave it unsaid."""
    line = refused("train", *SMALL, "--likelihood", likelihood, "--variance", 0)
    assert "variance is 0.0" in line
    assert {"bernoulli": "bernoulli", "gaussian": "finite number above 0"}[likelihood] in line


def test_minibatches_and_test_data_that_an_objective_is_not_defined_for(refused, tmp_path):
    line = refused("train", *SMALL, "--model", "wae-mmd", "--batch-size", 1)
    assert "batch_size is 1; expected at least 2" in line
    np.savez(tmp_path / "a.npz", train=IMAGES, test=IMAGES[:1])
    line = refused("train", "--data", "a.npz", *SMALL, "--model", "factor-vae", "--batch-size", 10)
    assert "the number of test rows is 1; expected at least 3" in line


@pytest.mark.skipif(importlib.util.find_spec("cupy") is not None, reason="CuPy is installed")
@pytest.mark.parametrize("words", [("train",), ("info",)])
def test_cupy_without_cupy(refused, words):
    assert "cupy" in refused(*words, "--backend", "cupy").lower()


@pytest.mark.parametrize("command", ["train", "info"])
def test_a_backend_of_nonsense_in_the_environment(refused, monkeypatch, command):
    monkeypatch.setenv("MINIVAE_BACKEND", "numpi")
    assert "MINIVAE_BACKEND, of the environment, is 'numpi'; expected one of numpy" in refused(command)


OUT = dict.fromkeys(("encode", "reconstruct"), ("--out", "x.npy"))


@pytest.mark.parametrize("command", ["info", "evaluate", "sample", "plot", *OUT])
def test_an_empty_name_is_not_this_folder(refused, command):
    assert "folder is ''; expected a path" in refused(command, "", *OUT.get(command, ()))


def test_a_data_folder_of_nonsense_in_the_environment(refused, monkeypatch):
    monkeypatch.setenv("MINIVAE_DATA", "/no/such/folder")
    assert "MINIVAE_DATA" in refused("train", "--data", "mnist")


# ------------------------------------------------------------------- output


def test_output_folders_that_cannot_be_written(refused, tmp_path):
    (tmp_path / "file").write_text("")
    for folder in ("file", "file/below", "x" * 300):
        line = refused("train", *SMALL, "--out", folder, "--json")
        assert folder[:50] in line


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_output_folder(refused, tmp_path):
    (tmp_path / "shut").mkdir(mode=0o555)
    for folder in ("shut", "shut/below"):
        assert "Permission denied" in refused("train", *SMALL, "--out", folder)


@pytest.mark.parametrize("name", ["model.npz", "config.json", "history.csv"])
def test_no_run_is_written_over(refused, run, name):
    for path in run.iterdir():
        if path.name != name:
            path.unlink()
    assert "holds a run already" in refused("train", *SMALL, "--out", run)


def test_samples_and_figures_that_cannot_be_written(refused, run, tmp_path):
    (tmp_path / "file").write_text("")
    assert ".npy" in refused("sample", run, "--out", "samples.txt")
    assert "nowhere" in refused("sample", run, "--out", "nowhere/samples.npy")
    assert "file" in refused("plot", run, "--out", "file/below")
    assert "number is 0" in refused("sample", run, "-n", 0)


def test_numbers_of_evaluate_out_of_range(refused, run):
    for option in ("--importance-samples", "--points"):
        assert "at least 1" in refused("evaluate", run, option, 0)
    for option in ("--importance-samples", "--points"):
        assert "at least 2" in refused("evaluate", run, option, 1)
    assert "seed is -1" in refused("evaluate", run, "--seed", -1)
