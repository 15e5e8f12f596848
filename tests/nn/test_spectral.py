"""Power iteration against NumPy's singular values; its gradient; a matrix of zeros."""

import numpy as np
import pytest

from minivae import backend
from minivae.autodiff import assign, backward, tensor
from minivae.errors import InputError
from minivae.gradcheck import check_gradients
from minivae.nn import SpectralNorms

SHAPES = [(7, 4), (3, 6), (1, 5), (4, 1)]


def made(dtype="float64", where="numpy"):
    return SpectralNorms(SHAPES, backend.generator(0), dtype=dtype, backend=where)


def moved(norms, matrices, steps):
    """The values after so many steps."""
    for _ in range(steps):
        values, pairs = norms(matrices)
        for target, new in pairs:
            assign(target, new)
    return [float(value) for value in values]


def matrices_of(rng):
    """Of singular values of which the second is at most 0.8 of the first, so that 80 steps know 16 digits."""
    found = []
    for shape in SHAPES:
        u, s, v = np.linalg.svd(rng.normal(size=shape), full_matrices=False)
        found.append(u * (s[0] * 0.8 ** np.arange(len(s))) @ v)
    return found


def test_it_converges_to_the_largest_singular_value(rng, backend_name):
    matrices = matrices_of(rng)
    norms = made(where=backend_name)
    given = [tensor(m, backend=backend_name) for m in matrices]
    found = moved(norms, given, 80)
    np.testing.assert_allclose(found, [np.linalg.svd(m)[1][0] for m in matrices], rtol=1e-12)
    for vector, m in zip(norms.vectors, matrices, strict=True):
        np.testing.assert_allclose(abs(vector.numpy() @ np.linalg.svd(m)[2][0]), 1.0, rtol=1e-12)


def test_it_comes_from_below_and_nearer_with_each_step(rng):
    """Whatever u is: a pair of unit vectors gives no more than the largest singular value."""
    matrices, norms = matrices_of(rng), made()
    values = np.array([moved(norms, matrices, 1) for _ in range(30)])
    assert (np.diff(values, axis=0) >= -1e-12).all()
    assert (values <= [np.linalg.svd(m)[1][0] + 1e-12 for m in matrices]).all()


def test_its_gradient_is_that_of_the_singular_value(rng):
    """u v^T: by differences of NumPy's; a step that has converged gives it."""
    matrices, norms = matrices_of(rng), made()
    moved(norms, matrices, 80)
    for i, matrix in enumerate(matrices):

        def value(m, i=i):
            return norms([*matrices[:i], m, *matrices[i + 1 :]])[0][i]

        check_gradients(value, [matrix])


def test_before_it_has_converged_its_gradient_is_that_with_the_vectors_held(rng):
    """v u^T, which is all that a step of training is given."""
    matrices, norms = [tensor(m, requires_grad=True) for m in matrices_of(rng)], made()
    vectors = [v.numpy().copy() for v in norms.vectors]
    values, pairs = norms(matrices)
    for matrix, start, value, (_, new) in zip(matrices, vectors, values, pairs, strict=True):
        stretched = matrix.numpy() @ start
        v = stretched / np.linalg.norm(stretched)
        (g,) = backward(value, [matrix])
        np.testing.assert_allclose(g.numpy(), np.outer(v, new.numpy()), rtol=1e-10, atol=1e-13)


def test_a_matrix_of_zeros_is_0_and_leaves_the_vector_for_better_days(rng):
    norms = made("float32")
    zeros = [np.zeros(shape, "float32") for shape in SHAPES]
    before = [v.numpy().copy() for v in norms.vectors]
    assert moved(norms, zeros, 2) == [0.0] * len(SHAPES)
    for a, b in zip(norms.vectors, before, strict=True):
        np.testing.assert_array_equal(a.numpy(), b)
    matrices = [m.astype("float32") for m in matrices_of(rng)]
    np.testing.assert_allclose(moved(norms, matrices, 80), [np.linalg.svd(m)[1][0] for m in matrices], rtol=1e-5)


def test_its_vectors_are_state_and_nothing_is_trained():
    norms = made()
    assert norms.parameters() == []
    assert [*norms.state_dict()] == [f"vectors.{i}" for i in range(len(SHAPES))]


def test_other_matrices_are_refused(rng):
    with pytest.raises(InputError, match=r"matrices has 1 of them; expected 4"):
        made()([np.ones((7, 4))])
    with pytest.raises(InputError, match=r"matrices\[0\] has shape \(4, 7\); expected \(7, 4\)"):
        made()([np.ones(shape[::-1]) for shape in SHAPES])
