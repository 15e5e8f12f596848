"""A learnt list: what is nearest, and a step of k-means."""

import numpy as np
import pytest

from minivae import backend
from minivae.autodiff import Parameter, assign, tensor
from minivae.errors import InputError
from minivae.nn import Codebook


def made(**options):
    return Codebook(5, 2, backend.generator(0), dtype="float64", **options)


def nearest(codebook, z):
    return ((z[..., None, :] - codebook.entries.numpy()) ** 2).sum(-1).argmin(-1)


def test_the_nearest_entry(rng):
    codebook, z = made(), rng.normal(size=(7, 3, 2))
    np.testing.assert_array_equal(codebook.nearest(tensor(z)).numpy(), np.eye(5)[nearest(codebook, z)])


def test_without_memory_a_step_is_one_of_k_means(rng):
    """Each used entry moves to the mean of what is nearest to it."""
    codebook, z = made(decay=0.0), rng.normal(size=(40, 3, 2))
    which = nearest(codebook, z)
    assert len(np.unique(which)) == 5
    for target, value in codebook.moved(tensor(z), codebook.nearest(tensor(z))):
        assign(target, value)
    expected = [z[which == k].mean(axis=0) for k in range(5)]
    np.testing.assert_allclose(codebook.entries.numpy(), expected, rtol=1e-5)
    np.testing.assert_allclose(codebook.counts.numpy(), np.bincount(which.ravel(), minlength=5))


def test_running_means_start_as_if_one_vector_had_been_at_each_entry(rng):
    codebook, z = made(decay=0.9), np.tile([5.0, 5.0], (10, 1))
    start, (which,) = codebook.entries.numpy().copy(), np.unique(nearest(codebook, z))
    for target, value in codebook.moved(tensor(z), codebook.nearest(tensor(z))):
        assign(target, value)
    counts = np.full(5, 0.9) + np.eye(5)[which]  # 0.1 times ten vectors
    expected = (0.9 * start + np.outer(np.eye(5)[which], [5.0, 5.0])) / counts[:, None]
    np.testing.assert_allclose(codebook.counts.numpy(), counts, rtol=1e-12)
    np.testing.assert_allclose(codebook.entries.numpy(), expected, rtol=1e-4)


def test_an_entry_that_is_never_used_stays_finite(rng):
    codebook, z = made(decay=0.5), tensor(rng.normal(size=(10, 2)) + 30)
    for _ in range(2000):
        for target, value in codebook.moved(z, codebook.nearest(z)):
            assign(target, value)
    assert np.isfinite(codebook.entries.numpy()).all()


def test_trained_by_gradient_it_is_a_parameter_and_moves_otherwise_nowhere(rng):
    codebook = made(ema=False)
    assert isinstance(codebook.entries, Parameter)
    assert codebook.moved(tensor(rng.normal(size=(4, 2))), tensor(np.eye(5)[:4])) == []
    assert not made().parameters()
    assert made().state_dict().keys() == {"entries", "counts", "sums"}


@pytest.mark.parametrize("decay", [-0.1, 1.0, "0.9"])
def test_a_decay_that_is_none_is_refused(decay):
    with pytest.raises(InputError, match="decay is"):
        made(decay=decay)
