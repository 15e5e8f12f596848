"""HFVAE: all weights 1 is estimator A, groups of one are the beta-TCVAE, what each price is on, and the groups."""

import numpy as np
import pytest

from minivae import backend
from minivae.autodiff import backward
from minivae.datasets import load
from minivae.errors import InputError
from minivae.inference import log_likelihood
from minivae.models import MODELS
from minivae.regularizers import split_kl
from minivae.training import fit

from ..members import Repeated, batch_for, member, shaken

M, L, D = 7, 2, 5


def made(name="hfvae", **options):
    model = shaken(member(name, dtype="float64", samples=L, latent_dim=D, **options))
    if name != "vae":
        model.begin(50)
    return model


def same(found, expected):
    """The losses of two models and their gradients."""
    assert float(found.loss) == pytest.approx(float(expected.loss), rel=1e-12)
    for a, b in zip(*(backward(o.loss, o.parameters) for o in (found, expected)), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("weighting", ["mss", "mws"])
@pytest.mark.parametrize("sizes", [None, (5,), (1, 3, 1)])
def test_all_weights_1_is_the_vae_with_estimator_a(weighting, sizes, rng):
    model, vae = made(beta=1.0, weighting=weighting, group_sizes=sizes), made("vae", estimator="A")
    batch = batch_for(vae, rng, M)
    same(*(m.phases(batch, Repeated()())[0] for m in (model, vae)))


@pytest.mark.parametrize("weighting", ["mss", "mws"])
def test_groups_of_one_are_the_beta_tcvae(weighting, rng):
    prices = {"alpha": 0.3, "beta": 2.5, "gamma": 1.7, "weighting": weighting}
    model, other = made(group_sizes=(1,) * D, within=9.0, **prices), made("beta-tcvae", **prices)
    batch = batch_for(other, rng, M)
    found, expected = (m.phases(batch, Repeated()())[0] for m in (model, other))
    same(found, expected)
    assert float(found.terms[f"tc_within_{weighting}"]) == 0
    for name, term in expected.terms.items():
        assert float(found.terms[name]) == pytest.approx(float(term), rel=1e-12), name


def test_each_part_has_its_price_and_they_make_the_kl(rng):
    prices = {"alpha": 0.3, "beta": 2.5, "within": 0.4, "gamma": 1.7}
    model = made(group_sizes=(2, 3), **prices)
    (phase,) = model.phases(batch_for(model, rng, M), Repeated()())
    terms = {name.removesuffix("_mws"): float(value) for name, value in phase.terms.items()}
    parts = [terms[name] for name in ("information", "tc", "tc_within", "dimensions")]
    assert sum(parts) == pytest.approx(terms["kl"], rel=1e-12)
    paid = sum(price * part for price, part in zip(prices.values(), parts, strict=True))
    assert float(phase.loss) == pytest.approx(paid - terms["reconstruction"], rel=1e-12)


@pytest.mark.parametrize(("latent_dim", "expected"), [(1, [1]), (2, [1, 1]), (5, [3, 2]), (20, [10, 10])])
def test_without_sizes_there_are_two_halves(latent_dim, expected):
    model = member("hfvae", latent_dim=latent_dim)
    assert model.group_sizes == expected
    assert model.config["group_sizes"] is None


def test_sizes_that_are_not_those_of_the_codes_are_refused():
    with pytest.raises(InputError, match=r"group_sizes is \[2, 2\], 4 dimensions in all; expected 5 of them"):
        made(group_sizes=(2, 2))


# ------------------------------------------------------- discrete variables

MIXED = {"discrete": (3, 2)}  # of D + 5 elements


def mixed(**options):
    return shaken(member("hfvae", dtype="float64", samples=L, **{"latent_dim": D + 5, **MIXED, **options}))


def test_with_discrete_variables_all_weights_1_are_estimator_a_of_the_relaxed_model(rng):
    model = mixed(beta=1.0, group_sizes=(2, 4, 1))
    model.begin(50)
    (phase,) = model.phases(batch_for(model, rng, M), Repeated()())
    terms = {name.removesuffix("_mws"): float(value) for name, value in phase.terms.items()}
    assert float(phase.loss) == pytest.approx(-terms["relaxed_bound"], rel=1e-12)
    assert terms["relaxed_bound"] != pytest.approx(terms["bound"], abs=1e-3)


def test_at_a_low_temperature_the_relaxed_model_decodes_what_the_discrete_one_does(rng):
    """(Its densities are with respect to another measure, so that only their ratios compare.)"""
    model = mixed(beta=1.0, temperature=1e-3)
    batch = batch_for(model, rng, M)
    q = model.posterior(batch.x)
    noise = q.draw_noise(backend.generator(4), (L,))
    np.testing.assert_allclose(q.relax(noise, 1e-3).numpy(), q.sample(noise).numpy(), atol=1e-6)


def test_an_encoder_that_says_nothing_costs_nothing(rng):
    model = mixed(discrete=(4,), latent_dim=D + 4)
    for p in model.encoder.parameters():
        p.data[...] = 0.0
    (phase,) = model.phases(batch_for(model, rng, M), Repeated()())
    parts = ("information", "tc", "tc_within", "dimensions")
    assert sum(float(phase.terms[f"{name}_mws"]) for name in parts) == pytest.approx(0, abs=1e-12)
    assert float(phase.terms["kl"]) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("latent_dim", "discrete", "expected"),
    [(6, (3, 2), [1, 1, 1]), (10, (3, 2), [3, 2, 1, 1]), (4, (3,), [1, 1]), (5, (), [3, 2])],
)
def test_without_sizes_each_discrete_variable_is_a_group(latent_dim, discrete, expected):
    assert member("hfvae", latent_dim=latent_dim, discrete=discrete).group_sizes == expected


def test_codes_samples_and_reconstructions_have_whole_values(rng):
    model = mixed()
    x = batch_for(model, rng, M).x
    codes, means = model.codes(x).numpy(), model.encode(x).numpy()
    assert codes.shape == (M, 2)
    assert (model.num_categories, made().num_categories) == (3, 0)
    for start, n, column in ((D, 3, 0), (D + 3, 2, 1)):
        np.testing.assert_array_equal(codes[:, column], means[:, start : start + n].argmax(-1))
        np.testing.assert_allclose(means[:, start : start + n].sum(-1), 1, rtol=1e-12)
    z = model.sample_prior(backend.generator(0), 50).numpy()
    assert set(np.unique(z[:, D:])) == {0.0, 1.0}
    assert model.reconstruct(x).shape == x.shape
    with pytest.raises(InputError, match="not discrete; it has no codes"):
        made().codes(x)


def test_log_p_of_x_is_that_of_the_truly_discrete_model(rng):
    """Importance samples against a sum over the values and an integral over the one continuous dimension."""
    model = shaken(member("hfvae", dtype="float64", latent_dim=4, discrete=(3,)))
    x = batch_for(model, rng, 2).x
    points, weights = np.polynomial.hermite_e.hermegauss(60)
    exact = 0.0
    for k in range(3):
        z = np.concatenate([points[:, None], np.tile(np.eye(3)[k], (60, 1))], axis=-1)[:, None]
        p = np.exp(model.likelihood(np.repeat(z, 2, axis=1)).log_prob(x).numpy())
        exact = exact + weights @ p / weights.sum() / 3
    estimate = log_likelihood(model, x, backend.generator(0), 40_000)
    np.testing.assert_allclose(estimate.value.numpy(), np.log(exact), atol=0.02)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"discrete": (3, 1)}, r"discrete is \[3, 1\]; expected at least 2 values of each"),
        ({"discrete": (5, 5)}, r"latent_dim is 10, and discrete \[5, 5\]; expected more than their sum"),
        ({"group_sizes": (5,)}, r"group_sizes is \[5\], 5 dimensions in all; expected 7 of them"),
        ({"temperature": 0.0}, "temperature is 0.0"),
    ],
)
def test_what_is_no_mixture_of_variables_is_refused(options, said):
    with pytest.raises(InputError, match=said):
        mixed(**options)


@pytest.mark.slow
def test_what_is_paid_for_goes_down_on_the_digits():
    """q(z) of all training points, which is no estimate: docs/family.md has these numbers."""
    data, found = load("digits"), []
    for beta in (1.0, 6.0):
        model = MODELS["hfvae"](64, 8, (200,), beta=beta)
        fit(model, data, epochs=60, lr=0.005, report_every=60, progress=False)
        q = model.posterior(data.train.images / np.float32(16))
        z, log_q = q.sample_with_log_prob(backend.generator(0), 1)
        told = {"data_points": len(z[0]), "weighting": "mss", "group_sizes": model.group_sizes}
        split = split_kl(q, z, log_q, model.prior().log_prob(z), **told)
        found += [split.between.numpy().mean(), split.within.numpy().mean()]
    assert found == pytest.approx([0.20, 0.09, 0.04, 0.07], abs=0.03)
