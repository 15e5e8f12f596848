"""Minibatches: from stored pixels; epoch_order: which rows they have."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minivae import backend
from minivae.datasets import Split
from minivae.errors import InputError
from minivae.training import Minibatches
from minivae.training.minibatches import epoch_order

from ..chance import assert_mean
from ..doubles.strict_device import strict

PIXELS = np.arange(256, dtype=np.uint8).reshape(4, 64)


def minibatches(images=PIXELS, scale=256.0, **options):
    return Minibatches(Split(np.asarray(images)), scale, **options)


def noise(where="numpy", seed=0):
    return backend.generator(seed, where)


# ------------------------------------------------------------------ values


def test_pixels_stay_as_they_are_stored():
    stored = minibatches()
    assert stored.images.data is PIXELS  # neither converted nor copied
    assert stored.images.dtype == np.uint8


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_minibatch_is_pixels_divided_by_the_scale(dtype):
    rows = np.array([2, 0])
    x = minibatches(dtype=dtype).batch(rows, noise()).x
    assert x.dtype == dtype
    np.testing.assert_array_equal(x.numpy(), PIXELS[rows] / 256)  # powers of two: exact in both


def test_frey_face_is_divided_by_256_so_that_white_is_below_one():
    assert minibatches().batch(np.array([3]), noise()).x.numpy().max() == 255 / 256


def test_threshold_is_one_above_one_half_only():
    x = minibatches([[127, 128, 129, 0, 255]], binarize="threshold").batch(np.array([0]), noise()).x
    np.testing.assert_array_equal(x.numpy(), [[0, 0, 1, 0, 1]])
    assert x.dtype == np.float32


def test_dynamic_draws_each_pixel_with_its_grey_level_as_the_probability():
    digits = minibatches([np.arange(17)], scale=16.0, binarize="dynamic")
    visits = digits.batch(np.zeros(4000, int), noise()).x.numpy()
    assert set(np.unique(visits)) == {0.0, 1.0}
    assert_mean(visits, np.arange(17) / 16)  # 0 and 1 exactly: no draw may differ


def test_dynamic_draws_anew_at_each_visit():
    grey = minibatches(np.full((1, 500), 128, np.uint8), binarize="dynamic")
    generator = noise()
    first, second = (grey.batch(np.array([0]), generator).x.numpy() for _ in range(2))
    assert 150 < (first != second).sum() < 350


def test_dynamic_repeats_with_the_generator():
    first, second = (minibatches(binarize="dynamic").batch(np.arange(4), noise(seed=3)).x.numpy() for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("binarize", ["none", "threshold"])
def test_only_dynamic_binarization_uses_the_generator(binarize):
    generator = noise()
    minibatches(binarize=binarize).batch(np.arange(4), generator)
    assert generator.state == noise().state


def test_float64_data_are_stored_as_the_run_computes():
    real = np.linspace(-1, 1, 12).reshape(3, 4)
    assert minibatches(real, 1.0).images.dtype == np.float32
    kept = minibatches(real, 1.0, dtype="float64").batch(np.arange(3), noise()).x
    np.testing.assert_array_equal(kept.numpy(), real)


def test_unknown_binarization_names_the_nearest():
    with pytest.raises(InputError, match=r"binarize is 'dynamik'.*did you mean 'dynamic'"):
        minibatches(binarize="dynamik")


# ------------------------------------------------------------------ rows


@given(st.integers(1, 300), st.integers(1, 60))
def test_the_fixed_order_gives_every_row_once_in_minibatches_of_nearly_one_size(size, batch_size):
    there = minibatches(np.arange(size, dtype=np.uint16)[:, None], 1.0)
    batches = [there.batch(rows, noise()).x.numpy() for rows in there.fixed_order(batch_size)]
    sizes = [len(batch) for batch in batches]
    assert len(sizes) == -(-size // batch_size)
    assert max(sizes) - min(sizes) <= 1
    assert max(sizes) <= batch_size
    assert min(sizes) > 1 or size == 1 or batch_size < 3
    np.testing.assert_array_equal(np.sort(np.concatenate(batches)[:, 0]), np.arange(size))


def test_the_fixed_order_is_random_and_a_function_of_the_size_alone(backend_name):
    rows = np.random.default_rng(0).integers(256, size=(1000, 2), dtype=np.uint8)
    first = [np.concatenate([np.asarray(r.numpy()) for r in minibatches(rows).fixed_order(n)]) for n in (1000, 30)]
    other = np.concatenate([r.numpy() for r in minibatches(rows * 0, backend=backend_name).fixed_order(7)])
    np.testing.assert_array_equal(first[0], first[1])
    np.testing.assert_array_equal(first[0], other)
    # A permutation that is uniform has a rank correlation with the stored order of 0 +- 1 / sqrt(999).
    assert abs(np.corrcoef(first[0], np.arange(1000))[0, 1]) < 4 / np.sqrt(999)


@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 1000), st.integers(0, 50))
def test_an_epoch_visits_rows_at_most_once_and_leaves_less_than_a_minibatch(size, batch_size, seed, epoch):
    if batch_size > size:
        with pytest.raises(InputError):
            epoch_order(size, batch_size, seed, epoch)
        return
    order = epoch_order(size, batch_size, seed, epoch)
    assert order.shape == (size // batch_size, batch_size)
    assert len(np.unique(order)) == order.size
    assert order.min() >= 0
    assert order.max() < size


def test_the_order_is_a_function_of_seed_and_epoch():
    order = epoch_order(100, 10, 1, 2)
    np.testing.assert_array_equal(order, epoch_order(100, 10, 1, 2))
    for other in (epoch_order(100, 10, 2, 2), epoch_order(100, 10, 1, 3), epoch_order(100, 10, 2, 1)):
        assert (order != other).any()


def test_the_rows_left_over_are_not_always_the_same():
    left = [set(range(10)) - set(epoch_order(10, 9, 0, epoch).ravel()) for epoch in range(100)]
    assert set.union(*left) == set(range(10))


def test_a_minibatch_larger_than_the_data_is_refused():
    with pytest.raises(InputError, match="batch_size is 500; the data have only 100 training rows"):
        epoch_order(100, 500, 0, 0)


# ------------------------------------------------------------- backends


@pytest.mark.parametrize("binarize", ["none", "threshold"])
def test_every_backend_gives_the_same_minibatch(backend_name, binarize):
    there = minibatches(binarize=binarize, backend=backend_name)
    x = there.batch(there.shuffled(2, 0, 0)[1], noise(backend_name)).x
    assert backend.backend_of(x.data).name == backend_name
    expected = minibatches(binarize=binarize).batch(epoch_order(4, 2, 0, 0)[1], noise()).x
    np.testing.assert_array_equal(x.numpy(), expected.numpy())


def test_an_epochs_order_goes_to_the_device_at_once_and_nothing_else_does():
    there = minibatches(binarize="dynamic", backend="strict")
    generator = noise("strict")
    with strict.counter.count() as counts, strict.counter.forbid_synchronization():
        order, whole = there.shuffled(2, 0, 0), list(there.fixed_order(3))
        assert counts.to_device == 2
        with strict.counter.forbid_transfers(), strict.counter.forbid_dtype("float64"):
            for rows in (order[0], order[1]):
                there.batch(rows, generator)
            assert sum(len(there.batch(rows, generator).x) for rows in whole) == 4


# ------------------------------------------------------------- labels


def labelled(labels, classes, **options):
    return Minibatches(Split(np.zeros((len(labels), 2), np.uint8), np.array(labels)), 1.0, classes=classes, **options)


def test_labels_are_the_context_one_hot(backend_name):
    there = labelled([2, 0, 1, 2], 3, backend=backend_name)
    batch = there.batch(np.array([3, 1]), noise(backend_name))
    assert backend.backend_of(batch.context.data).name == backend_name
    np.testing.assert_array_equal(batch.context.numpy(), [[0, 0, 1], [1, 0, 0]])
    assert batch.context.dtype == "float32"
    assert labelled([0, 1], 2, dtype="float64").batch(np.array([0]), noise()).context.dtype == "float64"
    assert labelled([0, 1], 0).batch(np.array([0]), noise()).context is None
