"""What a command may touch: its own files and what it was told to write; what is refused changes nothing."""

import os
import shutil

import pytest

from minivae.plots.run import NAMES

from .conftest import SMALL


def everything(folder):
    """What a folder is, to the byte and the nanosecond."""
    found = {}
    for path in [folder, *folder.rglob("*")]:
        status = path.lstat()
        content = path.read_bytes() if path.is_file() else None
        found[path] = status.st_mode, status.st_ino, status.st_mtime_ns, content
    return found


def spoil(run, name, old, new):
    """Put another word into a file of a run."""
    path = run / name
    path.write_bytes(path.read_bytes().replace(old, new))


REFUSED_RESUMES = {
    "another seed": (lambda run: None, ("--seed", 3)),
    "other data": (lambda run: None, ("--data", "mine.npy")),
    "nothing to wait for": (lambda run: None, ("--patience", 3)),
    "a config that was edited": (lambda run: spoil(run, "config.json", b'"seed": 0', b'"seed": 1'), ()),
    "a damaged checkpoint": (lambda run: spoil(run, "model.npz", b"PK", b"KP"), ()),
    "no number": (lambda run: None, ("--epochs", 0)),
    "a pace that is none": (lambda run: None, ("--checkpoint-every", -1)),
    "an unknown callback": (lambda run: None, ("--callback", "none.py:None")),
    "a checkpoint of another run": (lambda run: shutil.copy(run.parent / "other" / "model.npz", run), ()),
}


@pytest.mark.parametrize(("change", "words"), REFUSED_RESUMES.values(), ids=REFUSED_RESUMES)
def test_a_resume_that_is_refused_changes_nothing(cli, run, tmp_path, change, words):
    import numpy as np

    np.save(tmp_path / "mine.npy", np.random.default_rng(0).random((1797, 64)))
    if "other" in str(change.__code__.co_consts):
        assert cli("train", *SMALL, "--out", "other", "--quiet").code == 0
    change(run)
    (run / ".samples.part-0123abcd.png").touch()  # what somebody else's killed command left
    before = everything(run)
    outcome = cli("train", "--resume", run, "--epochs", 4, *words)
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert everything(run) == before


@pytest.mark.usefixtures("no_figures")
def test_a_folder_with_other_files_is_not_trained_into(cli, tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "config.yaml").write_text("mine")
    before = everything(tmp_path)
    outcome = cli("train", *SMALL, "--out", "thesis")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == ("minivae train: thesis holds other files: config.yaml; expected a new or empty folder\n")
    assert everything(tmp_path) == before


def test_figures_go_to_a_run_or_beside_other_figures_of_one_and_nowhere_else(cli, run, tmp_path):
    for _ in range(2):
        assert cli("plot", run, "--out", "figures").code == 0
    assert {path.name for path in (tmp_path / "figures").iterdir()} <= {*NAMES}
    (tmp_path / "figures" / "mine.png").touch()
    before = everything(tmp_path / "figures")
    outcome = cli("plot", run, "--out", "figures")
    assert (outcome.code, "figures holds other files: mine.png; expected a run, figures of one" in outcome.err) == (
        2,
        True,
    )
    assert everything(tmp_path / "figures") == before


WRITERS = {
    "encode": ("encode", "{run}", "--out", "{out}.csv"),
    "reconstruct": ("reconstruct", "{run}", "--out", "{out}.npy"),
    "a picture": ("reconstruct", "{run}", "--out", "{out}.svg"),
    "interpolate": ("interpolate", "{run}", "0", "1", "--out", "{out}.csv"),
    "sample": ("sample", "{run}", "--out", "{out}.png"),
    "evaluate": ("evaluate", "{run}", "--points", "2", "--importance-samples", "2", "--rows", "{out}.csv"),
}


@pytest.fixture
def said(run):
    """The words of a command, about the run and a file of that name."""
    return lambda words, out: [word.format(run=run, out=out) for word in words]


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
@pytest.mark.parametrize("words", WRITERS.values(), ids=WRITERS)
def test_no_command_replaces_a_pipe_and_all_keep_a_mode(cli, said, tmp_path, words):
    words = said(words, "out")
    path = tmp_path / words[-1]
    path.touch(0o600)
    assert cli(*words).code == 0
    assert (path.stat().st_mode & 0o777, path.stat().st_size > 0) == (0o600, True)
    path.unlink()
    os.mkfifo(path)
    outcome = cli(*words)
    assert (outcome.code, outcome.err) == (2, f"minivae {words[0]}: cannot write {path.name}: it is a pipe\n")
    assert path.is_fifo()


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("encode", "{run}", "--out", "{out}"), "model.npz"),
        (("sample", "{run}", "--out", "{out}"), "model.npz"),
        (("evaluate", "{run}", "--rows", "{out}"), "history.csv"),
    ],
)
def test_no_command_writes_over_the_run_that_it_is_about(cli, said, run, words, name):
    before = everything(run)
    outcome = cli(*said(words, run / name))
    assert (outcome.code, "a part of the run; choose another file to write" in outcome.err) == (2, True)
    assert everything(run) == before


def test_nothing_is_written_among_pictures_that_are_the_data(cli, tmp_path):
    from PIL import Image

    for kind in ("cats", "dogs"):
        (tmp_path / "photos" / kind).mkdir(parents=True)
        for number in range(6):
            Image.new("L", (4, 4), 40 * number).save(tmp_path / "photos" / kind / f"{number}.png")
    before = everything(tmp_path / "photos")
    outcome = cli("train", "--data", "photos", *SMALL, "--out", "photos/run")
    assert (outcome.code, "--out is photos/run, which lies among the data" in outcome.err) == (2, True)
    assert cli("train", "--data", "photos", *SMALL, "--batch-size", 4, "--out", "run", "--quiet").code == 0
    for words in (("sample", "run", "--out", "photos/cats/0.png"), ("plot", "run", "--out", "photos/drawn")):
        outcome = cli(*words)
        assert (outcome.code, "lies among the data" in outcome.err) == (2, True)
    assert everything(tmp_path / "photos") == before
