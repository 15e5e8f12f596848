"""Rows of what is inferred beyond the encoder: estimates of log p(x), and samplers of the posterior."""

from __future__ import annotations

import pkgutil

import numpy as np

from minivae import backend, inference
from minivae.autodiff import Tensor, backward, tensor
from minivae.inference import (
    Annealing,
    LogLikelihood,
    density_log_likelihood,
    effective_sample_size,
    hmc,
    log_joint,
)
from minivae.inference.each import bound_of_each
from minivae.models import MODELS, VAE, Batch
from minivae.models import learning as rules

from ...chance import CRITICAL_Z
from ...inference import test_hmc, test_importance, test_mcem
from ...models.learning import test_full_vb
from .page import SEED, Row, Section, error, gradient_error, z_of_mean


def importance() -> Row:
    """log p(x) of 1,000 data points: under the exact posterior, and under a wrong one in standard errors."""
    model = test_importance.LinearGaussian()
    x = test_importance.drawn(model, 1000)
    exact = error(test_importance.estimate(model, x, 7)[0], model.exact.logpdf(x))
    value, stderr, _ = test_importance.estimate(test_importance.LinearGaussian(**test_importance.WRONG), x, 1000)
    z = (value - model.exact.logpdf(x)) / stderr
    return Row(len(x), (exact, z_of_mean(np.stack([z, z**2], 1), [0, 1]), None, None))


def each() -> Row:
    """The terms of 100 data points, averaged, against those of the model's own phase."""
    model, rng = VAE(6, 2, (5,), dtype="float64"), np.random.default_rng(SEED)
    x, noise = rng.random((100, 6)), rng.normal(size=(1, 100, 2))
    terms, found = model.phases(Batch(tensor(x)), noise)[0].terms, bound_of_each(model, x, noise)
    errors = [error(float(found[name].mean()), float(value)) for name, value in terms.items()]
    return Row(len(x), (max(errors), None, None, None))


def joint() -> Row:
    """log p(x, z) - log p(z|x) is log p(x), whatever z is."""
    rng, model = np.random.default_rng(SEED), test_importance.LinearGaussian()
    x, z = test_importance.drawn(model, 100), rng.normal(size=(20, 100, test_importance.LATENT))
    found = log_joint(model, x)(tensor(z)) - model.posterior(x).log_prob(z)
    gradient = gradient_error(log_joint(model, x[:5]), [z[:2, :5]])
    return Row(
        z[..., 0].size, (error(found, np.broadcast_to(model.exact.logpdf(x), found.shape)), None, gradient, None)
    )


def hamiltonian() -> Row:
    """Exact draws of a correlated Gaussian after three coarse moves: their moments; and ten steps there and back."""
    chains, rng = 100_000, np.random.default_rng(SEED)
    draws = rng.multivariate_normal(np.zeros(3), test_hmc.COVARIANCE, chains)
    first = state = hmc.init(tensor(draws), test_hmc.gaussian)
    source = backend.generator(SEED + 1)  # another stream than that of the draws
    for _ in range(3):
        state, _ = hmc.step(state, test_hmc.gaussian, source, 0.5, 4)
    z = state.position.numpy()
    second = np.einsum("ni,nj->nij", z, z).reshape(chains, 9)
    moments = np.concatenate([z, second], 1)
    there, end = hmc.leapfrog(first, tensor(rng.normal(size=draws.shape)), test_hmc.gaussian, 0.3, 10)
    back, _ = hmc.leapfrog(there, Tensor(-end.data), test_hmc.gaussian, 0.3, 10)
    expected = np.concatenate([np.zeros(3), test_hmc.COVARIANCE.ravel()])
    return Row(chains, (error(back.position, draws), z_of_mean(moments, expected), None, None))


def diagnostics() -> Row:
    """Means of autoregressive chains, in standard errors by the effective sample size: their square is 1 on average."""
    rng, rho, chains = np.random.default_rng(SEED), 0.8, 1000
    x = [rng.normal(size=chains) / np.sqrt(1 - rho**2)]
    for _ in range(4000):
        x.append(rho * x[-1] + rng.normal(size=chains))
    x = np.array(x)
    squares = x.mean(0) ** 2 * effective_sample_size(x) / x.var(0)
    return Row(chains, (None, z_of_mean(squares[:, None], 1), None, None))


def ais() -> Row:
    """log p(x) from 200 temperatures and 16 chains: errors have mean 0."""
    model = test_importance.LinearGaussian()
    x = test_importance.drawn(model, 400)
    found = Annealing(model, tensor(x), backend.generator(SEED), 200, 4).lower(16)
    return estimate(found, model.exact.logpdf(x))


def posterior_density() -> Row:
    """log p(x) from 100 draws of the posterior for the density and 100 new ones: errors have mean 0."""
    model = test_importance.LinearGaussian()
    x = test_importance.drawn(model, 400)
    return estimate(density_log_likelihood(model, tensor(x), backend.generator(SEED), 100), model.exact.logpdf(x))


def estimate(found: LogLikelihood, exact: np.ndarray) -> Row:
    """What is left of the errors of an estimate when they are averaged over the data points."""
    errors = found.value.numpy() - exact
    return Row(len(errors), (None, z_of_mean(errors[:, None], 0), None, abs(float(errors.mean()))))


def mcem() -> Row:
    """Nats below the greatest likelihood of probabilistic PCA, whose parameters are known, after 300 steps."""
    below = []
    for seed in range(3):
        rng = np.random.default_rng(SEED + seed)
        x, model = test_mcem.LinearGaussian(rng, latent=2).data(rng, 400), test_mcem.ProbabilisticPCA(rng)
        run = test_mcem.run_on(model, tensor(x), seed)
        for _ in range(300):
            run.step()
        below.append(test_mcem.best_log_marginal(x, 2) - model.log_marginal(x))
    return Row(len(below), (None, None, None, max(below)))


def full_vb() -> Row:
    """Gradients of the bound of Bayesian linear regression, on average over the noise, against the closed form."""
    case, source = test_full_vb.Regression(np.random.default_rng(SEED)), backend.generator(SEED + 1)
    parameters, flat = [*case.layer.parameters(), *case.weights.log_vars], test_full_vb.flat
    draws = [flat(backward(case.bound(case.weights.draw_noise(source)), parameters)) for _ in range(4000)]
    by_mean = case.precision @ (case.mean - flat(case.layer.parameters()))
    by_log_var = 0.5 * (1 - np.exp(flat(case.weights.log_vars)) * np.diag(case.precision))
    zeta = case.weights.draw_noise(source)
    differences = gradient_error(lambda *_: case.bound(zeta), parameters)
    return Row(len(draws), (None, z_of_mean(np.array(draws), np.concatenate([by_mean, by_log_var])), differences, None))


def components() -> set[str]:
    """The modules of ``minivae.inference``, and of ``minivae.models.learning`` those that hold no registered model."""
    models = {model.__module__ for model in MODELS.values()}
    learning = {m.name for m in pkgutil.iter_modules(rules.__path__) if f"{rules.__name__}.{m.name}" not in models}
    return learning | {module.name for module in pkgutil.iter_modules(inference.__path__)}


INFERENCE = Section(
    "Inference",
    "Modules of `minivae.inference` and `minivae.models.learning`, on models whose log p(x) and posterior are "
    "known. Importance sampling: log p(x) under the exact posterior; errors under a wrong one in units of its own "
    "standard error, whose mean should be 0 and mean square 1, z. The joint density less that of the exact "
    "posterior, against log p(x). Hamiltonian Monte Carlo: the leapfrog there and back; moments of exact draws "
    "after coarse moves, z. The effective sample size: the same of the means of chains, z. Annealed importance "
    "sampling and App. D: the mean error of log p(x), in nats and z. Monte Carlo EM: nats below the greatest "
    "likelihood of probabilistic PCA. Full variational Bayes: the gradient on Bayesian linear regression, z.",
    {"exact value": 1e-11, "mean of draws (z)": CRITICAL_Z, "differences": 1e-6, "nats": 0.02},
    components,
    {
        "importance": importance,
        "each": each,
        "joint": joint,
        "hmc": hamiltonian,
        "diagnostics": diagnostics,
        "ais": ais,
        "posterior_density": posterior_density,
        "mcem": mcem,
        "full_vb": full_vb,
    },
)
SECTIONS = [INFERENCE]
