"""AAE with labels: where the classes' Gaussians are, what the critic is shown, which labels a code stands for."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import softmax

import minivae as mv
from minivae import backend
from minivae.autodiff import tensor
from minivae.datasets import load
from minivae.errors import InputError
from minivae.models import Batch, LabelledAAE

from ...chance import assert_moments
from ..members import batch_for, member, shaken

K, D, RADIUS, SPREAD = 4, 3, 3.0, 0.4
ANGLES = 2 * np.pi * np.arange(K) / K
MEANS = RADIUS * np.stack([np.cos(ANGLES), np.sin(ANGLES), 0 * ANGLES], axis=-1)
DEVIATIONS = np.array([SPREAD, SPREAD, 1.0])


@pytest.fixture
def model():
    return shaken(member("labelled-aae", dtype="float64", classes=K, radius=RADIUS, spread=SPREAD))


def told(*labels):
    """One-hot labels; a row of zeros for None."""
    return np.stack([np.eye(K)[k] if k is not None else np.zeros(K) for k in labels])


def test_each_class_has_its_gaussian_on_the_circle(model):
    labels = [2, 0, 3, 1, 2]
    p = model.prior(told(*labels))
    np.testing.assert_allclose(p.mean.numpy(), MEANS[labels], atol=1e-12)
    z = p.sample(backend.generator(0), 4000).numpy()
    for i, k in enumerate(labels):
        assert_moments(z[:, i], MEANS[k], DEVIATIONS**2)


def judged(model, x, labels, noise):
    """What the critic is shown of codes and of draws."""
    return [part.numpy() for part in model._codes_and_draws(Batch(tensor(x), tensor(labels)), noise)[:2]]


def test_the_critic_sees_labels_and_draws_of_their_gaussians(model, rng):
    x, noise = rng.uniform(size=(3, model.data_dim)), rng.normal(size=(3, 1 + D))
    codes, draws = judged(model, x, told(2, None, 0), noise)
    labels = np.array([[0, 0, 1, 0, 0], [0, 0, 0, 0, 1], [1, 0, 0, 0, 0]])  # the last: there is none
    np.testing.assert_array_equal(codes[:, D:], labels)
    np.testing.assert_array_equal(draws[:, D:], labels)
    np.testing.assert_allclose(codes[:, :D], model.encoder(x).numpy(), rtol=1e-12)
    for i, k in ((0, 2), (1, int(K * stats.norm.cdf(noise[1, 0]))), (2, 0)):
        np.testing.assert_allclose(draws[i, :D], MEANS[k] + DEVIATIONS * noise[i, 1:], rtol=1e-12, atol=1e-12)


def test_without_labels_draws_are_of_the_mixture(model):
    x = np.zeros((6000, model.data_dim))
    _, draws = judged(model, x, told(*[None] * len(x)), backend.generator(1))
    nearest = ((draws[:, None, :2] - MEANS[:, :2]) ** 2).sum(-1).argmin(-1)
    assert stats.chisquare(np.bincount(nearest, minlength=K)).pvalue > 1e-6
    for k in range(K):
        assert_moments(draws[nearest == k][:, :D], MEANS[k], DEVIATIONS**2)


def test_neither_encoder_nor_decoder_is_told(model, rng):
    x = rng.uniform(size=(K, model.data_dim))
    codes = model.encode(x).numpy()
    for labels in (told(*range(K)), told(*[None] * K)):
        np.testing.assert_array_equal(model.encode(x, labels).numpy(), codes)
        np.testing.assert_array_equal(model.reconstruct(x, labels).numpy(), model.decode(codes).numpy())


def test_a_code_stands_for_the_class_whose_density_is_the_largest_share_there(model, rng):
    x = rng.uniform(size=(5, model.data_dim))
    z = model.encode(x).numpy()
    expected = softmax(stats.norm(MEANS, DEVIATIONS).logpdf(z[:, None]).sum(-1), axis=-1)
    np.testing.assert_allclose(model.classify(x).numpy(), expected, rtol=1e-9, atol=1e-300)


def test_its_error_is_that_of_the_points_with_a_label(model, rng):
    batch = batch_for(model, rng, 6)
    likeliest = model.classify(batch.x).numpy().argmax(-1)
    labels = told(likeliest[0], None, (likeliest[2] + 1) % K, likeliest[3], None, None)
    first = model.phases(Batch(batch.x, tensor(labels)), backend.generator(0))[0]
    assert float(model.of_means(first.means)["error"]) == pytest.approx(1 / 3)
    none = model.phases(Batch(batch.x, tensor(0 * labels)), backend.generator(0))[0]
    assert model.of_means(none.means) == {}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"latent_dim": 1}, "latent_dim is 1; expected at least 2, for a circle of classes"),
        ({"radius": 0.0}, "radius is 0.0"),
        ({"spread": -1.0}, "spread is -1.0"),
        ({"context_dim": 0}, "context_dim is 0"),
    ],
)
def test_what_is_no_circle_of_gaussians_is_refused(options, said):
    with pytest.raises(InputError, match=said):
        LabelledAAE(6, **{"context_dim": K, **options})


def trained(data, seed):
    model = LabelledAAE(64, 2, (200,), context_dim=10, critic_hidden=(200, 200), critic_lr=1e-3, seed=seed)
    mv.fit(model, data, epochs=300, lr=1e-3, report_every=300, seed=seed, progress=False)
    return (model.classify(data.test.images / data.scale).numpy().argmax(-1) == data.test.labels).mean()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_after_training_test_digits_are_coded_where_their_class_is(seed):
    """Of draws of p(z|y) 98.6 % lie nearest to their own mean."""
    assert trained(load("digits"), seed) > 0.8
