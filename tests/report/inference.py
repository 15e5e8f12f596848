"""Rows of what is inferred beyond the encoder: estimates of log p(x), and samplers of the posterior."""

from __future__ import annotations

import importlib
import pkgutil

import numpy as np

from minivae import backend, inference
from minivae.autodiff import Tensor, tensor
from minivae.inference import effective_sample_size, hmc, log_joint
from minivae.models import MODELS

from ..chance import CRITICAL_Z
from ..inference import test_hmc, test_importance
from .page import SEED, Row, Section, error, gradient_error, z_of_mean


def importance() -> Row:
    """log p(x) of 1,000 data points: under the exact posterior, and under a wrong one in standard errors."""
    model = test_importance.LinearGaussian()
    x = test_importance.drawn(model, 1000)
    exact = error(test_importance.estimate(model, x, 7)[0], model.exact.logpdf(x))
    value, stderr, _ = test_importance.estimate(test_importance.LinearGaussian(**test_importance.WRONG), x, 1000)
    z = (value - model.exact.logpdf(x)) / stderr
    return Row(len(x), (exact, z_of_mean(np.stack([z, z**2], 1), [0, 1]), None))


def joint() -> Row:
    """log p(x, z) - log p(z|x) is log p(x), whatever z is."""
    rng, model = np.random.default_rng(SEED), test_importance.LinearGaussian()
    x, z = test_importance.drawn(model, 100), rng.normal(size=(20, 100, test_importance.LATENT))
    found = log_joint(model, x)(tensor(z)) - model.posterior(x).log_prob(z)
    gradient = gradient_error(log_joint(model, x[:5]), [z[:2, :5]])
    return Row(z[..., 0].size, (error(found, np.broadcast_to(model.exact.logpdf(x), found.shape)), None, gradient))


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
    return Row(chains, (error(back.position, draws), z_of_mean(moments, expected), None))


def diagnostics() -> Row:
    """Means of autoregressive chains, in standard errors by the effective sample size: their square is 1 on average."""
    rng, rho, chains = np.random.default_rng(SEED), 0.8, 1000
    x = [rng.normal(size=chains) / np.sqrt(1 - rho**2)]
    for _ in range(4000):
        x.append(rho * x[-1] + rng.normal(size=chains))
    x = np.array(x)
    squares = x.mean(0) ** 2 * effective_sample_size(x) / x.var(0)
    return Row(chains, (None, z_of_mean(squares[:, None], 1), None))


def parts() -> set[str]:
    """The modules of ``minivae.inference`` that are no models, which have a table of their own."""
    names = [module.name for module in pkgutil.iter_modules(inference.__path__)]
    models = {model.__module__ for model in MODELS.values()}
    for name in names:
        importlib.import_module(f"minivae.inference.{name}")
    return {name for name in names if f"minivae.inference.{name}" not in models}


INFERENCE = Section(
    "Inference",
    "Modules of `minivae.inference`, on models whose log p(x) and posterior are known. Importance sampling: log p(x) "
    "under the exact posterior; errors under a wrong one in units of its own standard error, whose mean should be 0 "
    "and mean square 1, z. The joint density less that of the exact posterior, against log p(x). Hamiltonian Monte "
    "Carlo: the leapfrog there and back; moments of exact draws after coarse moves, z. The effective sample size: "
    "the same of the means of chains, z.",
    {"exact value": 1e-11, "mean of draws (z)": CRITICAL_Z, "differences": 1e-6},
    parts,
    {"importance": importance, "joint": joint, "hmc": hamiltonian, "diagnostics": diagnostics},
)
SECTIONS = [INFERENCE]
