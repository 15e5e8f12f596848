"""MADE: probabilities that sum to one, and bench M's entropy."""

import itertools

import numpy as np
import pytest

from minivae import backend, fit
from minivae.datasets import Dataset, Split
from minivae.errors import InputError
from minivae.gradcheck import check_gradients
from minivae.inference import log_likelihood
from minivae.models import MODELS, Batch

from ...chance import assert_mean
from ...markov_chain import ENTROPY, PIXELS, chains, log_prob
from ...training.conftest import assert_same_state, digits  # noqa: F401
from ..members import member, shaken
from ..test_family import advanced, trainer_of


@pytest.mark.parametrize(("pixels", "hidden"), [(1, (4,)), (5, ()), (9, (20,)), (12, (16, 12))])
def test_the_probabilities_of_all_images_sum_to_one(pixels, hidden):
    model = shaken(MODELS["made"](pixels, hidden, dtype="float64"))
    images = np.array(list(itertools.product([0.0, 1.0], repeat=pixels)))
    assert np.exp(model.log_prob(images).numpy()).sum() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("masks", [1, 3])
@pytest.mark.parametrize("hidden", [(), (20,), (9, 15)])
@pytest.mark.parametrize("direct", [False, True])
def test_under_each_order_and_averaged_over_them_they_sum_to_one(masks, hidden, direct):
    options = {"direct": direct, "random_orders": True, "seed": 5}
    model = shaken(MODELS["made"](8, hidden, masks=masks, dtype="float64", **options))
    images = np.array(list(itertools.product([0.0, 1.0], repeat=8)))
    each = [np.exp(model._log_prob(images, k).numpy()) for k in range(masks)]
    assert [p.sum() for p in each] == pytest.approx([1] * masks, abs=1e-6)
    assert masks == 1 or np.abs(each[0] - each[1]).max() > 1e-3
    np.testing.assert_allclose(np.exp(model.log_prob(images).numpy()), np.mean(each, axis=0), rtol=1e-9)


@pytest.mark.parametrize("options", [{}, {"masks": 3, "random_orders": True, "direct": True}, {"random_orders": True}])
def test_samples_have_the_probabilities_of_the_model(options):
    model = shaken(MODELS["made"](4, (10,), dtype="float64", **options))
    images = np.array(list(itertools.product([0.0, 1.0], repeat=4)))
    p = np.exp(model.log_prob(images).numpy())
    draws = model.sample(backend.generator(3), 20_000).numpy()
    number = draws @ [8, 4, 2, 1]
    assert_mean(number[:, None] == np.arange(16), p)


def test_it_finds_the_entropy_of_a_markov_chain(rng):
    assert pytest.approx(5.569, abs=5e-4) == ENTROPY
    train, test = Split(chains(rng, 4000)), Split(chains(rng, 4000))
    dataset = Dataset("chains", train, test, None, 1.0, "made")
    model = MODELS["made"](PIXELS, (64,))
    fit(model, dataset, epochs=25, lr=0.01, schedule="cosine", progress=False)
    excess = log_prob(test.images).mean() - model.log_prob(test.images).numpy().mean()
    assert -0.01 < excess < 0.05  # nats above the entropy


def test_a_minibatch_trains_the_set_that_its_noise_chooses(rng):
    model = shaken(MODELS["made"](6, (10,), masks=3, random_orders=True, dtype="float64"))
    x = (rng.uniform(size=(5, 6)) > 0.5).astype(float)
    for u, k in [(0.0, 0), (0.3, 0), (0.34, 1), (0.67, 2), (0.999, 2)]:
        (phase,) = model.phases(Batch(x), u)
        assert float(phase.loss) == -float(phase.terms["bound"]) == pytest.approx(-model._log_prob(x, k).numpy().mean())
    (phase,) = model.phases(Batch(x), backend.generator(0))
    assert float(phase.loss) in [pytest.approx(-model._log_prob(x, k).numpy().mean()) for k in range(3)]
    for wrong in (None, -0.1, 1.0, np.nan):
        with pytest.raises(InputError, match=f"noise is {wrong}"):
            model.phases(Batch(x), wrong)


def test_on_average_over_the_sets_the_bound_is_below_log_p(rng):
    """Jensen's inequality, point by point."""
    model = shaken(MODELS["made"](6, (10,), masks=3, random_orders=True, dtype="float64"))
    x = (rng.uniform(size=(50, 6)) > 0.5).astype(float)
    each = np.mean([model._log_prob(x, k).numpy() for k in range(3)], axis=0)
    assert (each < model.log_prob(x).numpy()).all()


DRAWN = {"masks": 3, "random_orders": True, "direct": True}


def test_with_several_sets_a_run_is_resumed_exactly_and_compiled_as_eagerly(digits):  # noqa: F811
    whole, begun, resumed, eager = (trainer_of("made", digits, on, **DRAWN) for on in (True, True, True, False))
    assert advanced(whole, 9) == advanced(eager, 9)
    advanced(begun, 5)
    resumed.load_state(*begun.state())
    advanced(resumed, 4)
    assert_same_state(resumed, whole)


def test_a_model_is_rebuilt_with_the_orders_that_it_was_trained_with(rng):
    """Another seed draws others; the state brings those of the first."""
    model, other = (member("made", seed=seed, **DRAWN) for seed in (1, 2))
    x = (rng.uniform(size=(5, 6)) > 0.5).astype(float)
    assert (other.network.order(0).numpy() != model.network.order(0).numpy()).any()
    other.load_state_dict(model.state_dict())
    np.testing.assert_array_equal(other.log_prob(x).numpy(), model.log_prob(x).numpy())
    assert model.config == other.config
    assert model.config.items() >= DRAWN.items()


def test_log_p_is_exact(rng):
    model = shaken(member("made", dtype="float64"))
    x = (rng.uniform(size=(3, 6)) > 0.5).astype(float)
    found = log_likelihood(model, x, backend.generator(0), 7)
    np.testing.assert_array_equal(found.value.numpy(), model.log_prob(x).numpy())
    assert not found.stderr.numpy().any()
    (phase,) = model.phases(Batch(x), backend.generator(0))
    assert float(phase.terms["bound"]) == pytest.approx(model.log_prob(x).numpy().mean())


@pytest.mark.parametrize("masks", [1, 3])
def test_log_p_has_the_gradient_of_its_value(masks, rng):
    model = shaken(member("made", dtype="float64", masks=masks))
    x = (rng.uniform(size=(3, 6)) > 0.5).astype(float)
    check_gradients(lambda *_: model.log_prob(x), model.parameters(), mode="directions", allow_zero=True)


@pytest.mark.parametrize("method", ["posterior", "likelihood", "prior", "encode", "reconstruct"])
def test_it_has_no_latent_variable(method, rng):
    with pytest.raises(InputError, match="no latent variable"):
        getattr(member("made"), method)(rng.uniform(size=(2, 6)))


def test_its_z_has_no_dimension():
    assert member("made").latent_dim == 0
