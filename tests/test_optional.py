"""A package that is there and unusable costs what it is for, and a line: whatever it raises, wherever it is needed."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from minivae.optional import import_optional

ROOT = Path(__file__).resolve().parents[1]
# What becomes of an import: the body of the package's __init__.py; None is a folder that has its name, without one.
BROKEN = {
    "for another NumPy": "raise ImportError('Numba needs NumPy 2.1 or less.\\nGot NumPy 2.2.')",
    "not all of it": "import none_such",
    "compiled for another": "raise ValueError('numpy.dtype size changed, may indicate binary incompatibility.')",
    "a library is missing": "raise OSError('libcudart.so.12: cannot open shared object file')",
    "leaves": "raise SystemExit('no licence')",
    "panics": "class Panic(BaseException): pass\nraise Panic('called `Result::unwrap()`')",
    "a slip": "None.x",
    "says nothing": "raise RuntimeError",
    "empty": "",
    "a folder of that name": None,
}


def put(folder, name, body):
    """A broken package in a folder."""
    (folder / name).mkdir(parents=True)
    if body is not None:
        (folder / name / "__init__.py").write_text(body)


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_whatever_a_package_raises_is_an_import_error_of_one_line(tmp_path, monkeypatch, body):
    put(tmp_path, "broken_package", body)
    monkeypatch.syspath_prepend(tmp_path)
    for _ in range(2):  # the second time Python may find a part of it
        with pytest.raises(ImportError, match=r"^[^\n]+$") as raised:
            import_optional("broken_package", "needed")
        assert raised.value.name == "broken_package"
        assert len(str(raised.value)) < 300
    sys.modules.pop("broken_package", None)


def test_a_missing_package_is_said_to_be_missing():
    with pytest.raises(ImportError, match="No module named 'none_such'"):
        import_optional("none_such")


def test_an_interrupt_is_no_fault_of_a_package(tmp_path, monkeypatch):
    put(tmp_path, "interrupted_package", "raise KeyboardInterrupt")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        import_optional("interrupted_package")


# --------------------------------------------------------------- where they are needed

TRAIN = (
    "train",
    "--epochs",
    "1",
    "--hidden",
    "200",
    "--latent",
    "8",
    "--out",
    "run",
    "--quiet",
)  # wide enough for Numba
MLP = "mv.nn.MLP((2, 3), mv.backend.generator(0))"
NEEDED = {  # words of the command line, or a program; its exit code; what its one line says
    "numba": (TRAIN, 0, "Numba cannot be used (RuntimeError: no use); NumPy does its work, slower"),
    "matplotlib": (TRAIN, 0, "not drawn: learning_curve.png, "),
    "PIL": (TRAIN, 0, "not drawn: learning_curve.png, "),
    "PIL, for pictures": (
        ("train", "--data", "pictures"),
        2,
        "for which Pillow is needed (RuntimeError: no use)",
    ),
    "h5py": (("train", "--data", "data.h5"), 2, "for which h5py is needed (RuntimeError: no use): pip install"),
    "cupy": (("train", "--backend", "cupy"), 2, "needs CuPy, which cannot be imported (RuntimeError: no use)"),
    "torch": (
        "mv.nn.weights.to_torch_state_dict(mv.nn.MLP((2, 3), mv.backend.generator(0)))",
        1,
        "torch cannot be imp",
    ),
    "safetensors": (
        f"mv.nn.weights.save_safetensors({MLP}, 'w')",
        *(1, "safetensors.numpy cannot be imported (RuntimeError: no use)"),
    ),
    "tensorboardX": ("mv.training.TensorBoard('events')", 1, "TensorBoard needs tensorboardX (RuntimeError: no use)"),
    "sklearn": (
        "import minivae.estimator",
        1,
        "needs scikit-learn from 1.6 on (RuntimeError: no use)",
    ),
}


@pytest.mark.parametrize(("name", "asked"), NEEDED.items(), ids=NEEDED)
def test_what_needs_a_broken_package_says_so_in_a_line_and_all_else_goes_on(tmp_path, name, asked):
    words, code, said = asked
    put(tmp_path / "broken", name.partition(",")[0], "raise RuntimeError('no\\nuse')")
    if name == "tensorboardX":
        put(tmp_path / "broken", "torch", None)
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.png").write_bytes(b"")
    (tmp_path / "data.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    folders = [str(tmp_path / "broken"), str(ROOT)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(folders), "NUMBA_CACHE_DIR": str(tmp_path)}
    program = ["-m", "minivae", *words] if isinstance(words, tuple) else ["-c", f"import minivae as mv; {words}"]
    done = subprocess.run([sys.executable, *program], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    last = done.stderr.splitlines()[-1]
    assert said in last
    if isinstance(words, tuple):
        assert done.stderr.count("\n") == 1
    if code == 0:
        assert (tmp_path / "run" / "model.npz").exists()


# ----------------------------------------------------------------- Numba's own cache


@pytest.fixture
def trained(tmp_path):
    """``trained(name)`` trains with a cache of Numba in the test's folder, and gives the checkpoint's weights."""
    pytest.importorskip("numba", reason="needs Numba: pip install 'minivae[fast]'")

    def run(name, **others):
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "NUMBA_CACHE_DIR": str(tmp_path / "cache"), **others}
        words = [*TRAIN[: TRAIN.index("run")], name, "--quiet"]
        command = [sys.executable, "-m", "minivae", *words]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        with np.load(tmp_path / name / "model.npz") as held:
            return done.stderr, {key: held[key].tobytes() for key in held.files if key.startswith("model/")}

    return run


DAMAGES = [b"", *(pytest.param(damage, marks=pytest.mark.slow) for damage in (b"\x80", b"garbage", b"cos\nsystem\n."))]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_cache_of_numba_costs_a_line(trained, tmp_path, damage):
    said, expected = trained("whole")
    assert said == ""
    files = [path for path in (tmp_path / "cache").rglob("*.nb*") if path.is_file()]
    assert files
    for path in files:
        path.write_bytes(damage)
    said, found = trained("damaged")
    assert found == expected
    assert not said or (said.startswith("Numba's cache cannot be used (") and said.count("\n") == 1)  # or made anew


def test_a_cache_of_numba_that_cannot_be_written_costs_a_line(trained, tmp_path):
    (tmp_path / "cache").write_text("a file in its place")
    said, _ = trained("run")
    assert said.count("\n") <= 1
    assert "Traceback" not in said
