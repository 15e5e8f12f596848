"""Files are whole or absent, no global state is touched, and bad input writes nothing."""

import subprocess
import sys

import matplotlib.image
import numpy as np
import pytest
from matplotlib.figure import Figure

from minivae import plots
from minivae.errors import InputError

from .conftest import faults

IMAGES = np.linspace(0, 1, 24).reshape(6, 4)
NAN = IMAGES + np.where(np.arange(24).reshape(6, 4) == 9, np.nan, 0)
HISTORY = {"samples_seen": [1, 2], "train_bound": [-3.0, -2.0]}


def decode(z):
    return 1 / (1 + np.exp(-np.repeat(z[:, :1], 4, axis=1)))


def draw_all(folder, suffix=".png"):
    """Draw each of the pictures once, with little data; return their files."""
    calls = {
        "curve": lambda path: plots.learning_curve(HISTORY, path),
        "reconstructions": lambda path: plots.reconstructions(IMAGES, IMAGES, (2, 2), path),
        "samples": lambda path: plots.samples(IMAGES, (2, 2), path),
        "manifold": lambda path: plots.manifold(decode, (2, 2), path, n=3),
        "scatter": lambda path: plots.latent_scatter(IMAGES, np.arange(6), path),
        "interpolation": lambda path: plots.interpolation(decode, IMAGES, IMAGES[::-1], (2, 2), path),
    }
    for name, draw in calls.items():
        draw(folder / (name + suffix))
    return [folder / (name + suffix) for name in calls]


def test_every_picture_is_a_readable_png_of_its_size(tmp_path, drawn):
    files = draw_all(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted(files)
    for file, summary in zip(files, drawn, strict=True):
        height, width, _ = matplotlib.image.imread(file).shape
        assert (width, height) == summary.pixels
        assert width >= 4.5 * 200


@pytest.mark.parametrize(("suffix", "start"), [(".svg", b"<?xml"), (".pdf", b"%PDF"), (".PNG", b"\x89PNG")])
def test_the_suffix_chooses_the_format(tmp_path, suffix, start):
    assert all(file.read_bytes().startswith(start) for file in draw_all(tmp_path, suffix))


def test_a_failed_write_leaves_the_old_file_and_nothing_else(path, monkeypatch):
    plots.samples(IMAGES, (2, 2), path)
    before = path.read_bytes()

    def fail(figure, target, **options):
        target.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(Figure, "savefig", fail)
    with pytest.raises(InputError, match="disk full"):
        plots.samples(IMAGES, (2, 2), path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def bad(message, draw):
    return pytest.param(draw, message, id=message)


def manifold_of(decode):
    return lambda path: plots.manifold(decode, (2, 2), path, n=3)


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        bad("samples|images has shape", lambda path: plots.samples(IMAGES[0], (2, 2), path)),
        bad("images has shape .0, 4.", lambda path: plots.samples(IMAGES[:0], (2, 2), path)),
        bad("images has 1 values that are NaN", lambda path: plots.samples(NAN, (2, 2), path)),
        bad("images is .* expected an array of numbers", lambda path: plots.samples([["a"]], None, path)),
        bad("expected one of 4 values", lambda path: plots.samples(IMAGES, (2, 3), path)),
        bad("expected .height, width", lambda path: plots.samples(IMAGES, (4,), path)),
        bad("expected .6, 4", lambda path: plots.reconstructions(IMAGES, IMAGES[:5], (2, 2), path)),
        bad("reconstructions has 1", lambda path: plots.reconstructions(IMAGES, NAN, (2, 2), path)),
        bad("n is 0", lambda path: plots.manifold(decode, (2, 2), path, n=0)),
        bad("result of decode has shape .8, 4.", manifold_of(lambda z: decode(z[1:]))),
        bad("result of decode has 36 values", manifold_of(lambda z: decode(z) * np.nan)),
        bad("z_end has shape", lambda path: plots.interpolation(decode, IMAGES, IMAGES[:2], (2, 2), path)),
        bad("steps is 1;", lambda path: plots.interpolation(decode, IMAGES, IMAGES, (2, 2), path, steps=1)),
        bad("labels has shape .5, 1.", lambda path: plots.latent_scatter(IMAGES, np.arange(5), path)),
        bad("labels is .* expected an array of numbers", lambda path: plots.latent_scatter(IMAGES, [*"abcdef"], path)),
        bad("means has shape", lambda path: plots.latent_scatter(IMAGES[None], None, path)),
        bad("no column train_bound", lambda path: plots.learning_curve({"samples_seen": [1]}, path)),
        bad("train_bound has 1 rows", lambda path: plots.learning_curve({**HISTORY, "train_bound": [1]}, path)),
        bad("not a list of numbers", lambda path: plots.learning_curve({**HISTORY, "test_kl": ["x", 1]}, path)),
        bad("no finite train_bound", lambda path: plots.learning_curve({**HISTORY, "train_bound": ["", None]}, path)),
        bad("samples_seen is empty", lambda path: plots.learning_curve({**HISTORY, "samples_seen": []}, path)),
        bad("suffix of .* is '.pgn'.*mean '.png'", lambda path: plots.samples(IMAGES, None, path.with_suffix(".pgn"))),
        bad("cannot write", lambda path: plots.samples(IMAGES, None, path.parent / "nowhere" / "a.png")),
    ],
)
def test_bad_input_is_one_error_and_writes_nothing(path, draw, message):
    with pytest.raises(InputError, match=message):
        draw(path)
    assert list(path.parent.iterdir()) == []


def every_figure(folder=None):
    """Each picture as a figure, written to a folder or nowhere."""

    def path(name):
        return None if folder is None else folder / f"{name}.png"

    yield plots.learning_curve(HISTORY, path("curve"))
    yield plots.reconstructions(IMAGES, IMAGES, (2, 2), path("reconstructions"))
    yield plots.samples(IMAGES, (2, 2), path("samples"))
    yield plots.columns(IMAGES, IMAGES, None, path("columns"))
    yield plots.manifold(decode, (2, 2), path("manifold"), n=3)
    yield plots.latent_scatter(IMAGES, np.arange(6), path("scatter"))
    yield plots.interpolation(decode, IMAGES, IMAGES[::-1], (2, 2), path("interpolation"))
    yield plots.traversals(decode, IMAGES, (2, 2), path("traversals"))
    yield plots.rollouts(IMAGES, IMAGES, 2, 1, (2, 2), path("rollouts"))
    yield plots.codebook_usage(np.eye(4, dtype=int), 2, path("codes"))


def test_every_picture_is_a_figure_and_is_written_only_where_a_path_is_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for figure in every_figure():
        assert isinstance(figure, Figure)
        assert faults(figure) == []
        assert figure.axes
    assert list(tmp_path.iterdir()) == []
    written = list(every_figure(tmp_path))
    assert len(list(tmp_path.iterdir())) == len(written)
    written[0].savefig(tmp_path / "again.png")  # it is whole, to be changed and written again


@pytest.mark.parametrize(
    "draw",
    [
        lambda **where: plots.latent_scatter(IMAGES, np.arange(6), **where),
        lambda **where: plots.latent_scatter(IMAGES, np.linspace(0, 1, 6), **where),
        lambda **where: plots.latent_scatter(IMAGES, **where),
        lambda **where: plots.codebook_usage(np.eye(4, dtype=int), 2, **where),
        lambda **where: plots.learning_curve(HISTORY, **where),
        lambda **where: plots.reconstructions(IMAGES, IMAGES * 0.9, (2, 2), **where),
        lambda **where: plots.samples(IMAGES, None, **where),
        lambda **where: plots.manifold(decode, (2, 2), n=3, **where),
        lambda **where: plots.interpolation(decode, IMAGES, IMAGES[::-1], (2, 2), **where),
        lambda **where: plots.traversals(decode, IMAGES, (2, 2), **where),
        lambda **where: plots.rollouts(IMAGES, IMAGES, 4, 0, None, **where),
    ],
)
def test_a_picture_goes_into_axes_of_one_s_own(path, draw):
    figure = Figure(figsize=(6, 3), layout="constrained")
    left, right = figure.subplots(1, 2)
    right.plot([1, 2])
    assert draw(ax=left) is figure
    assert left.get_title()
    assert len(right.lines) == 1
    assert set(figure.axes) - {left, right} == {a for a in figure.axes if a.get_label() == "<colorbar>"}
    assert not path.exists()
    alone = Figure(figsize=(6, 5), layout="constrained").add_subplot()
    assert draw(ax=alone, path=path) is alone.figure
    assert path.exists()


def test_a_fault_leaves_the_user_s_figure_as_it_is(path, monkeypatch):
    figure = Figure()
    ax = figure.add_subplot()
    monkeypatch.setattr(Figure, "savefig", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        plots.latent_scatter(IMAGES, ax=ax, path=path)
    assert ax in figure.axes


def test_importing_needs_no_matplotlib_and_drawing_no_pyplot(tmp_path):
    script = (
        "import sys, numpy as np, minivae.plots as plots\n"
        "assert not {'matplotlib', 'scipy'} & set(sys.modules)\n"
        f"plots.samples(np.eye(4), (2, 2), {str(tmp_path / 'a.png')!r})\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)


@pytest.mark.parametrize(
    ("place", "expected"),
    [((0.5, 0.5), "'two' over 'one'"), ((0.5, 0.99), "'one' is cut off"), ((0.9, 0.1), "'one' over a picture")],
)
def test_the_check_of_texts_can_fail(place, expected):
    figure = Figure(figsize=(3, 3))
    figure.text(0.5, 0.5, "two")
    figure.add_axes((0.8, 0, 0.2, 0.2)).imshow(np.eye(2))
    figure.axes[0].set(xticks=[], yticks=[])
    assert faults(figure) == []
    figure.text(*place, "one")
    assert any(expected in fault for fault in faults(figure))
