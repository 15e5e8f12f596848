"""A learnt list: what is nearest, and a step of k-means."""

import numpy as np
import pytest

from minivae import backend
from minivae.autodiff import Parameter, assign, tensor
from minivae.nn import Codebook

from ..chance import assert_moments


def made(**options):
    return Codebook(5, 2, backend.generator(0), dtype="float64", **options)


def nearest(codebook, z):
    return ((z[..., None, :] - codebook.entries.numpy()) ** 2).sum(-1).argmin(-1)


def test_the_nearest_entry(rng):
    codebook, z = made(), rng.normal(size=(7, 3, 2))
    np.testing.assert_array_equal(codebook.nearest(tensor(z)).numpy(), np.eye(5)[nearest(codebook, z)])


def test_the_first_entries_are_of_length_1_on_average():
    entries = Codebook(4000, 5, backend.generator(0), dtype="float64").entries.numpy()
    assert_moments(entries.ravel(), 0, 1 / 5)


def begun(codebook, z):
    """After a first minibatch, which puts the entries at some of its vectors."""
    move(codebook, z)
    return codebook


def move(codebook, z):
    for target, value in codebook.moved(tensor(z), codebook.nearest(tensor(z))):
        assign(target, value)


def test_the_first_minibatch_puts_the_entries_at_vectors_of_its_own(rng):
    """Evenly over codes and data points: of 3 codes with 4 points each, 5 of the 12 vectors, code by code."""
    z = rng.normal(size=(4, 3, 2))
    by_code = z.swapaxes(0, 1).reshape(12, 2)
    codebook = begun(made(decay=0.9), z)
    np.testing.assert_allclose(codebook.entries.numpy(), by_code[[0, 2, 4, 7, 9]], rtol=1e-5)
    np.testing.assert_allclose(codebook.counts.numpy(), 0.1 * 12 / 5)  # an average minibatch's


def test_without_memory_a_step_is_one_of_k_means(rng):
    """Each used entry moves to the mean of what is nearest to it."""
    codebook, z = begun(made(decay=0.0), rng.normal(size=(40, 3, 2))), rng.normal(size=(40, 3, 2))
    which = nearest(codebook, z)
    assert np.bincount(which.ravel(), minlength=5).min() > 0.05 * 24  # so that none starts anew
    move(codebook, z)
    expected = [z[which == k].mean(axis=0) for k in range(5)]
    np.testing.assert_allclose(codebook.entries.numpy(), expected, rtol=1e-5)
    smooth = (np.bincount(which.ravel()) + 1e-5) / (120 + 5 * 1e-5) * 120  # of the counts, Laplace's
    sums = [z[which == k].sum(axis=0) for k in range(5)]
    np.testing.assert_allclose(codebook.entries.numpy(), np.array(sums) / smooth[:, None], rtol=1e-12)
    np.testing.assert_allclose(codebook.counts.numpy(), np.bincount(which.ravel(), minlength=5))


def test_an_entry_is_the_mean_of_what_was_near_it_weighted_by_age_and_of_nothing_else(rng):
    """In the second step the first has 0.9 of the weight of this one: the means are unbiased from the start."""
    codebook = begun(made(decay=0.9, revival=0.0), rng.normal(size=(40, 2)))
    start, z = codebook.entries.numpy().copy(), rng.normal(size=(40, 2))
    which = nearest(codebook, z)
    move(codebook, z)
    near = np.eye(5)[which]
    counts = 0.9 * 8 + near.sum(axis=0)
    np.testing.assert_allclose(codebook.counts.numpy(), 0.1 * counts, rtol=1e-12)
    expected = (0.9 * 8 * start + near.T @ z) / counts[:, None]
    np.testing.assert_allclose(codebook.entries.numpy(), expected, rtol=1e-4)


def test_an_entry_that_few_are_near_starts_anew_and_no_other_does(rng):
    codebook = begun(made(decay=0.5, revival=0.2), rng.normal(size=(40, 2)))
    codebook.entries.data[3] = 50.0  # far from all
    codebook.sums.data[3] = 50.0 * codebook.counts.numpy()[3]
    z = rng.normal(size=(40, 2))
    move(codebook, z)  # its share of the mean falls to 1/3
    assert (codebook.entries.numpy()[3] > 49).all()
    others, z = np.delete(codebook.counts.numpy(), 3), rng.normal(size=(40, 2))
    moved = others / 2 + 0.5 * np.delete(np.bincount(nearest(codebook, z), minlength=5), 3)
    move(codebook, z)  # and would fall to 1/7
    np.testing.assert_allclose(codebook.entries.numpy()[3], z[3 * 40 // 5], rtol=1e-4)
    np.testing.assert_allclose(np.delete(codebook.counts.numpy(), 3), moved)
    assert codebook.counts.numpy()[3] == pytest.approx((moved.sum() + 1) / 5)  # as an average one


def test_without_revival_an_entry_that_nothing_is_near_stays_without_weight(rng):
    codebook = begun(made(decay=0.0, revival=0.0), rng.normal(size=(40, 2)) + 30)
    codebook.entries.data[3] = -50.0
    for _ in range(2):
        move(codebook, rng.normal(size=(40, 2)) + 30)
        assert codebook.counts.numpy()[3] == 0.0
        np.testing.assert_array_equal(codebook.sums.numpy()[3], 0.0)


def test_an_entry_that_is_never_used_stays_finite(rng):
    codebook, z = begun(made(decay=0.5, revival=0.0), rng.normal(size=(10, 2))), tensor(rng.normal(size=(10, 2)) + 30)
    for _ in range(2000):
        for target, value in codebook.moved(z, codebook.nearest(z)):
            assign(target, value)
    assert np.isfinite(codebook.entries.numpy()).all()


@pytest.mark.parametrize("ema", [False, True])
def test_no_gradient_flows_through_what_is_chosen_or_moved(ema, rng):
    codebook, z = made(ema=ema), tensor(rng.normal(size=(4, 2)), requires_grad=True)
    chosen = codebook.nearest(z)
    assert not any(value.requires_grad for value in (chosen, *(new for _, new in codebook.moved(z, chosen))))


def test_trained_by_gradient_it_is_a_parameter_and_moves_otherwise_nowhere(rng):
    codebook = made(ema=False)
    assert isinstance(codebook.entries, Parameter)
    assert codebook.moved(tensor(rng.normal(size=(4, 2))), tensor(np.eye(5)[:4])) == []
    assert not made().parameters()
    assert made().state_dict().keys() == {"entries", "counts", "sums"}
