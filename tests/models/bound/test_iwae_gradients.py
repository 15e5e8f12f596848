"""The estimators of IWAE's gradient: their averages, their noise at the exact posterior, and their signal."""

import numpy as np
import pytest

from minivae.autodiff import backward, tensor
from minivae.bounds import doubly_reparameterized, importance_weighted
from minivae.compiler import compile
from minivae.errors import InputError
from minivae.gradcheck import check_gradients
from minivae.models import IWAE
from minivae.models.posterior.full_covariance_vae import FullCovarianceVAE

from ...chance import CRITICAL_Z
from ...linear_gaussian import LinearGaussian
from ...training.conftest import assert_same_state, digits  # noqa: F401 (a fixture)
from ..bench import on_bench
from ..members import Repeated, batch_for, losses, member, shaken
from ..test_family import advanced, trainer_of
from .test_iwae import DIM, MU, B, X


def gradients_of(phases, model):
    """By every parameter of the model, of all phases together."""
    names = {id(p): name for name, p in model.named_parameters()}
    found = {}
    for phase in phases:
        for p, g in zip(phase.parameters, backward(phase.loss, phase.parameters, retain_graph=True), strict=True):
            assert names[id(p)] not in found
            found[names[id(p)]] = g.numpy()
    assert found.keys() == set(names.values())
    return found


@pytest.mark.parametrize("gradient", ["stl", "dreg"])
@pytest.mark.parametrize(("name", "options"), [("iwae", {"samples": 5}), ("miwae", {"groups": 3, "samples": 2})])
def test_values_and_the_decoders_gradient_are_the_same(name, options, gradient, rng):
    usual, other = (shaken(member(name, dtype="float64", gradient=kind, **options)) for kind in ("standard", gradient))
    batch, noise = batch_for(usual, rng), Repeated()
    (expected,), found = usual.phases(batch, noise()), other.phases(batch, noise())
    for term, value in expected.terms.items():
        assert float(found[0].terms[term]) == pytest.approx(float(value), rel=1e-12)
    theirs, ours = gradients_of([expected], usual), gradients_of(found, other)
    for part, g in theirs.items():
        if part.startswith("decoder"):
            np.testing.assert_allclose(ours[part], g, rtol=1e-10, atol=1e-14)
        else:
            assert np.abs(ours[part] - g).max() > 1e-4


@pytest.mark.parametrize("gradient", ["stl", "dreg"])
def test_gradients_of_the_losses(gradient, rng):
    """With what is held constant held in the numerical derivative as well."""
    model = shaken(member("iwae", dtype="float64", gradient=gradient, samples=3))
    for loss, parameters in losses(model, batch_for(model, rng)):
        assert check_gradients(loss, parameters).comparisons


@pytest.mark.parametrize("gradient", ["stl", "dreg"])
def test_a_compiled_run_has_the_bits_of_an_eager_one_and_is_resumed(gradient, digits):  # noqa: F811
    """Nothing is baked into the recorded step; with DReG each phase's optimizer goes on, too."""
    compiled, eager, resumed = (trainer_of("iwae", digits, on, gradient=gradient) for on in (True, False, True))
    compiled._update = compile(compiled._update.step, check=True)
    assert advanced(compiled, 4) == advanced(eager, 4)
    resumed.load_state(*compiled.state())
    assert advanced(resumed, 4) == advanced(eager, 4)
    object.__setattr__(eager.settings, "compile", True)
    assert_same_state(resumed, eager)


# ---------------------------------------------------------------------- bench P


def at_the_posterior(gradient, samples, rng):
    """The gradient by each parameter of an encoder that is the exact posterior of bench P."""
    bench = LinearGaussian(rng, orthogonal=True)
    model = on_bench("iwae", bench, samples=samples, gradient=gradient)
    state = model.state_dict()
    state["encoder.mean.weight"] = np.linalg.solve(bench.precision, bench.weight.T / bench.sigma**2).T
    state["encoder.mean.bias"], state["encoder.log_var.weight"] = np.zeros(3), np.zeros((6, 3))
    state["encoder.log_var.bias"] = -np.log(bench.diagonal)
    model.load_state_dict(state)
    batch = batch_for(model, rng)._replace(x=tensor(bench.data(rng, 4)))
    found = gradients_of(model.phases(batch, Repeated()()), model)
    return max(np.abs(g).max() for name, g in found.items() if name.startswith("encoder"))


@pytest.mark.parametrize(("gradient", "samples"), [("stl", 1), ("stl", 4), ("dreg", 1), ("dreg", 4)])
def test_at_the_exact_posterior_there_is_no_noise(gradient, samples, rng):
    """Every w is p(x), so that no sample pulls anywhere; the standard gradient is 0 in the mean alone."""
    assert at_the_posterior(gradient, samples, rng) < 1e-12
    assert at_the_posterior("standard", samples, rng) > 0.05


# ------------------------------------------- averages and signal, on the toy of Rainforth et al.


def toy(rng, samples, groups, draws, kl_weight=None):
    """Of the toy of test_iwae: gradients by b, ``(draws, DIM)``, as standard, stl and dreg, of the same noise."""
    shape = (groups * samples, draws, DIM)
    phi = tensor(np.full(shape[1:], B), requires_grad=True)
    z = phi + X / 2 + tensor(rng.normal(size=shape)) * np.sqrt(2 / 3)
    log_likelihood, log_prior = (((z - m) ** 2).sum(-1) * -0.5 for m in (X, MU))
    beta = 1.0 if kl_weight is None else kl_weight
    plain, held = (((z - (b + X / 2)) ** 2).sum(-1) * -0.75 for b in (phi, phi.detach()))
    weight = None if kl_weight is None else tensor(kl_weight)
    values = (
        importance_weighted(log_likelihood, log_prior * beta, plain * beta, groups).value,
        importance_weighted(log_likelihood, log_prior * beta, held * beta, groups).value,
        doubly_reparameterized(log_likelihood + (log_prior - held) * beta, groups, weight),
    )
    return [backward(value, [phi], np.ones(draws), retain_graph=True)[0].numpy() for value in values]


@pytest.mark.parametrize(("samples", "groups", "kl_weight"), [(1, 1, None), (5, 1, None), (4, 3, None), (5, 1, 0.4)])
def test_dreg_has_the_mean_of_the_standard_gradient(samples, groups, kl_weight):
    """And sticking the landing has it for K = 1 alone."""
    rng = np.random.default_rng(7)
    parts = [toy(rng, samples, groups, 20_000, kl_weight) for _ in range(4)]
    standard, stl, dreg = (np.concatenate(each).mean(1) for each in zip(*parts, strict=True))

    def off(other):
        difference = other - standard
        return abs(difference.mean()) / (difference.std() / np.sqrt(len(difference)))

    assert off(dreg) < CRITICAL_Z
    assert abs(standard.mean()) > 10 * standard.std() / np.sqrt(len(standard))  # (so that 0 would not pass)
    assert (off(stl) < CRITICAL_Z) == (samples == 1)


def limit():
    """What sqrt(K) is multiplied with in DReG's signal-to-noise ratio for large K, by integrals over one element of z.

    The gradient is A / B^2 / K with A = mean of w^2 h, B = mean of w, and h the derivative of log w along the path,
    whose relative variance is that of w^2 h / a - 2 w / b (the delta method). w is a product over the elements.
    """
    z, step = np.linspace(-14, 14, 8001, retstep=True)
    q, p = (
        np.exp(-((z - m) ** 2) / (2 * v)) / np.sqrt(2 * np.pi * v) for m, v in ((B + X / 2, 2 / 3), ((X + MU) / 2, 0.5))
    )
    w, h = p / q, X + MU - 2 * z + 1.5 * (z - B - X / 2)
    power = [(q * w**n).sum() * step for n in range(5)]
    with_h = [[(q * w**n * h**m).sum() * step for m in range(3)] for n in range(5)]

    def mean_of(n, m):  # E w^n h^m
        return power[n] ** (DIM - 1) * with_h[n][m]

    a = mean_of(2, 1)
    relative = mean_of(4, 2) / a**2 - 4 * mean_of(3, 1) / a + 4 * mean_of(2, 0) - 1
    return a / abs(a) / np.sqrt(relative)


def ratio(rng, samples, which, draws=60_000):
    size = 320_000 // samples
    g = np.concatenate([toy(rng, samples, 1, size)[which] for _ in range(-(-draws // size))])
    return g.mean() / g.std(), g.mean(1).std() / np.sqrt(len(g)) / g.std()


# Beyond the first order there are terms of relative size 1 / K: measured, 1.4 / K at K = 4, 0.6 / K at 64.
NEGLECTED = 2.0


def test_the_signal_of_dreg_rises_as_the_root_of_k_where_the_standard_one_falls():
    rng = np.random.default_rng(5)
    (few, _), (many, error) = (ratio(rng, samples, 2) for samples in (4, 64))
    expected = limit() * 8
    assert abs(many - expected) < CRITICAL_Z * error + NEGLECTED / 64 * abs(expected)
    assert abs(many) > 2.5 * abs(few)
    (few, _), (many, error) = (ratio(rng, samples, 0) for samples in (4, 64))
    assert abs(many) + CRITICAL_Z * error < abs(few)


def test_another_posterior_than_a_gaussian_is_refused(rng):
    class Correlated(IWAE):
        build, posterior = FullCovarianceVAE.build, FullCovarianceVAE.posterior

    model = Correlated(6, 3, (5,), gradient="dreg")
    with pytest.raises(InputError, match=r"the posterior is .*; expected a Normal, for the gradient 'dreg'"):
        model.phases(batch_for(model, rng), Repeated()())
