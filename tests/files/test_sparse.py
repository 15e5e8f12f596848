"""Sparse matrices in files, with SciPy as the oracle; whole files are read in tests/datasets/test_people.py."""

import gzip

import numpy as np
import pytest
import scipy.io
import scipy.sparse

from minivae.errors import InputError
from minivae.files import npy, sparse
from minivae.files.mat import read_mat

from ..datasets.conftest import count_refusals

COUNTS = np.random.default_rng(0).poisson(0.5, (9, 7))
VALUES = {"counts": COUNTS, "large": COUNTS * 70000, "signed": COUNTS * (1 - 2 * (COUNTS > 1)), "reals": COUNTS * 0.37}


@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "bsr", "dia"])
@pytest.mark.parametrize("values", VALUES)
def test_what_scipy_saves_is_read(tmp_path, values, kind):
    for made in (scipy.sparse.csr_matrix, scipy.sparse.csr_array):
        scipy.sparse.save_npz(tmp_path / "x.npz", made(VALUES[values]).asformat(kind))
        found = sparse.dense("x", sparse.of_arrays(tmp_path / "x.npz", npy.read_npz(tmp_path / "x.npz")))
        np.testing.assert_array_equal(found, VALUES[values])
        assert found.dtype == {"counts": "u1", "large": "u4", "signed": "i2", "reals": "f8"}[values]


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("values", VALUES)
def test_what_matlab_has_is_read(tmp_path, values, compressed):
    matrix = scipy.sparse.csc_matrix(VALUES[values].astype(float))
    scipy.io.savemat(tmp_path / "x.mat", {"fea": matrix, "gnd": COUNTS[:, :1]}, do_compression=compressed)
    found = read_mat(tmp_path / "x.mat")
    np.testing.assert_array_equal(found["fea"], VALUES[values])
    assert list(found) == ["fea", "gnd"]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("values", VALUES)
def test_matrix_market_is_read(tmp_path, values, packed):
    for given in (scipy.sparse.coo_matrix(VALUES[values]), VALUES[values]):
        scipy.io.mmwrite(tmp_path / "x.mtx", given)
        path = tmp_path / ("x.mtx.gz" if packed else "x.mtx")
        if packed:
            path.write_bytes(gzip.compress((tmp_path / "x.mtx").read_bytes()))
        found = sparse.read_matrix_market(path)
        np.testing.assert_allclose(found.toarray() if sparse.is_sparse(found) else found, VALUES[values], rtol=1e-12)


@pytest.mark.filterwarnings("ignore:The default value for `spmatrix`:DeprecationWarning")  # SciPy 1.18, of mmread
@pytest.mark.parametrize("symmetry", ["symmetric", "skew-symmetric"])
@pytest.mark.parametrize("field", ["real", "integer", "pattern"])
def test_halves_of_matrices_are_completed(tmp_path, symmetry, field):
    half = np.tril(COUNTS[:7] > 0, -1 if symmetry[1] == "k" else 0) * (1 if field == "pattern" else 3)
    whole = half + (half.T - np.diag(np.diag(half))) * (-1 if symmetry[1] == "k" else 1)
    lines = [f"{i + 1} {j + 1} {half[i, j]}"[: -2 if field == "pattern" else None] for i, j in np.argwhere(half)]
    head = [f"%%MatrixMarket matrix coordinate {field} {symmetry}", "% by hand", "", f"7 7 {len(lines)}"]
    (tmp_path / "x.mtx").write_text("\n".join([*head, *lines]))
    found = sparse.read_matrix_market(tmp_path / "x.mtx").toarray()
    np.testing.assert_array_equal(found, whole)
    np.testing.assert_array_equal(found, scipy.io.mmread(tmp_path / "x.mtx").toarray())


def test_damaged_files_raise_nothing_else(tmp_path):
    matrix = scipy.sparse.csr_matrix(COUNTS * 1.0)

    def read_npz(path):
        found = sparse.of_arrays(path, npy.read_npz(path))
        return None if found is None else sparse.dense("x", found)

    scipy.sparse.save_npz(tmp_path / "x.npz", matrix, compressed=False)
    scipy.io.savemat(tmp_path / "x.mat", {"fea": matrix})
    scipy.io.mmwrite(tmp_path / "x.mtx", matrix)
    for name, read in (("x.npz", read_npz), ("x.mat", read_mat), ("x.mtx", sparse.read_matrix_market)):
        path = tmp_path / name
        assert count_refusals(path, path.read_bytes(), read) > 10


@pytest.mark.parametrize(
    "text",
    [
        "%%MatrixMarket matrix coordinate real general\n3 3 900000000000\n1 1 1\n",
        "%%MatrixMarket matrix array real general\n900000 900000\n1\n",
        "%%MatrixMarket matrix coordinate complex general\n2 2 1\n1 1 1 1\n",
        "%%MatrixMarket matrix coordinate real general\n3 3 1\n4 1 1\n",
        "%%MatrixMarket matrix coordinate real general\n3 3 1\n1 1 1\nand more\n",
        "%%MatrixMarket nothing\n",
    ],
)
def test_matrix_market_that_promises_what_is_not_there_is_refused(tmp_path, text):
    (tmp_path / "x.mtx").write_text(text)
    with pytest.raises(InputError, match=r"x\.mtx"):
        sparse.read_matrix_market(tmp_path / "x.mtx")
