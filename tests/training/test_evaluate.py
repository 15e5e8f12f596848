"""evaluate: the bound on a whole data set, with z sampled."""

import itertools

import numpy as np
import pytest

from minivae import backend
from minivae.autodiff import Tensor
from minivae.errors import InputError
from minivae.models import MODELS
from minivae.training import Minibatches, evaluate
from minivae.training.evaluate import Evaluation

from ..doubles.strict_device import strict
from ..models.members import member
from .conftest import small_model


@pytest.fixture
def model():
    return small_model(dtype="float64", seed=5)


@pytest.fixture
def minibatches(digits):
    return Minibatches(digits.test, digits.scale, dtype="float64")


def by_hand(model, minibatches, eps):
    """The average bound and its parts with given noise, in one piece."""
    (rows,) = minibatches.fixed_order(len(minibatches))
    x = minibatches.batch(rows, backend.generator(0)).x
    bound = model.bound(x, eps[None])
    names = {"bound": bound.value, "reconstruction": bound.reconstruction, "kl": bound.kl}
    return {name: value.numpy().mean() for name, value in names.items()}


@pytest.mark.parametrize("batch_size", [1, 32, 69, 70, 500])
def test_unequal_minibatches_are_weighted_by_their_size(model, minibatches, batch_size):
    # With L = 1 the stream of noise does not depend on how the rows are cut.
    eps = backend.generator(20131220).standard_normal((70, 3), "float64")  # the seed of all numbers that are told
    found = evaluate(model, minibatches, batch_size=batch_size)
    assert found == pytest.approx(by_hand(model, minibatches, eps), rel=1e-12)


@pytest.mark.parametrize(("rows", "expected"), [(200, {200}), (201, {100, 101})])
def test_a_minibatch_is_of_200_rows_at_most(rows, expected, model, digits, monkeypatch):
    seen, inputs = set(), Minibatches.inputs
    monkeypatch.setattr(
        Minibatches, "inputs", lambda minibatches, rows: seen.add(rows.size) or inputs(minibatches, rows)
    )
    evaluate(model, Minibatches(digits.train.sample(rows), digits.scale, dtype="float64"))
    assert seen == expected


def test_z_is_sampled_and_not_the_posterior_mean(model, minibatches):
    at_the_mean = by_hand(model, minibatches, np.zeros((70, 3)))
    found = evaluate(model, minibatches)
    assert found["kl"] == pytest.approx(at_the_mean["kl"])
    assert abs(found["reconstruction"] - at_the_mean["reconstruction"]) > 1e-3


@pytest.mark.parametrize("binarize", ["none", "dynamic"])
def test_the_same_seed_gives_the_same_number_and_another_another(model, digits, binarize):
    minibatches = Minibatches(digits.test, digits.scale, binarize=binarize, dtype="float64")
    assert evaluate(model, minibatches) == evaluate(model, minibatches)
    assert evaluate(model, minibatches, seed=1) != evaluate(model, minibatches)


def test_the_bound_is_reconstruction_minus_kl(model, minibatches):
    terms = evaluate(model, minibatches)
    assert terms["bound"] == pytest.approx(terms["reconstruction"] - terms["kl"], rel=1e-12)


def test_nothing_changes_and_nothing_is_recorded(model, minibatches, monkeypatch):
    before = {name: value.copy() for name, value in model.state_dict().items()}
    seen = []
    to_numpy = Tensor.numpy
    monkeypatch.setattr(Tensor, "numpy", lambda part: seen.append(part.requires_grad) or to_numpy(part))
    evaluate(model, minibatches)
    assert seen
    assert not any(seen)
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


@pytest.mark.parametrize("binarize", ["none", "threshold", "dynamic"])
def test_on_the_device_only_the_numbers_come_back(digits, binarize):
    model = small_model(backend="strict")
    minibatches = Minibatches(digits.test, digits.scale, binarize=binarize, backend="strict")
    with strict.counter.count() as counts, strict.counter.forbid_dtype("float64"):
        evaluate(model, minibatches, batch_size=30)
    assert counts.to_device == 1  # the numbers of the rows
    assert counts.to_host == 3 * 3  # three parts of three minibatches


@pytest.mark.parametrize("binarize", ["none", "dynamic"])
def test_a_recorded_evaluation_gives_the_same_bits_again_and_follows_the_model(digits, binarize):
    model, other = small_model(), small_model(seed=1)
    minibatches = Minibatches(digits.test, digits.scale, binarize=binarize)
    eager, recorded = (Evaluation(model, minibatches, 30, compile=compile) for compile in (False, True))
    first = eager()
    assert recorded() == recorded() == first
    seventh = [Evaluation(model, minibatches, 30, seed=7, compile=compile)() for compile in (False, True)]
    assert seventh[0] == seventh[1] != first
    model.load_state_dict(other.state_dict())
    assert recorded() == eager() == evaluate(other, minibatches, batch_size=30) != first


def test_every_backend_gives_the_same_bound(digits, backend_name):
    """The backends draw different noise, so the data are many enough to tell a fault from chance."""
    bounds = [
        evaluate(small_model(backend=name), Minibatches(digits.train, digits.scale, backend=name))["bound"]
        for name in ("numpy", backend_name)
    ]
    assert bounds[0] == pytest.approx(bounds[1], abs=0.5)


def sizes(minibatches, batch_size, least):
    return [rows.size for rows in minibatches.fixed_order(batch_size, least)]


def test_no_minibatch_is_left_over_that_is_too_small(digits):
    """Whatever the sizes: of 91, nine minibatches of ten leave one, and so do ten of nine."""
    for rows, size, least in itertools.product([*range(1, 40), 91], range(1, 11), range(1, 4)):
        found = sizes(Minibatches(digits.train.sample(rows), digits.scale), size, least)
        assert sum(found) == rows
        assert max(found) - min(found) <= 1
        assert min(found) >= min(least, rows)
        assert max(found) <= size or max(found) < 2 * least  # one minibatch more would be too small


@pytest.mark.parametrize("name", [name for name, model in MODELS.items() if model.least_points > 1])
def test_data_and_minibatches_that_are_too_small_are_refused(name, digits):
    model = member(name, data_dim=64)
    least = model.least_points
    for rows in (least, 10 + 1, 3 * least + 1):
        minibatches = Minibatches(digits.test.sample(rows), digits.scale)
        assert np.isfinite([*evaluate(model, minibatches, batch_size=least).values()]).all()
    few = Minibatches(digits.test.sample(least - 1), digits.scale)
    with pytest.raises(
        InputError, match=f"the number of rows to evaluate on is {least - 1}; expected at least {least}"
    ):
        evaluate(model, few)
    with pytest.raises(InputError, match=f"batch_size is {least - 1}; expected at least {least}"):
        evaluate(model, minibatches, batch_size=least - 1)


def test_going_back_to_the_first_noise_does_not_read_the_generators_state(minibatches, model, monkeypatch):
    evaluation = Evaluation(model, minibatches)
    expected = evaluation()

    def pack(generator):
        raise AssertionError("on a GPU that is a mebibyte, packed on the host")

    monkeypatch.setattr(backend.Generator, "state", property(pack, pack))
    assert evaluation() == expected
