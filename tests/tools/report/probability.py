"""Rows of the distributions, their divergences, and the estimators of the bound."""

from __future__ import annotations

import zlib
from functools import partial
from types import ModuleType

import numpy as np
from scipy import stats

from minivae import backend, bounds
from minivae.autodiff import backward, tensor
from minivae.distributions import KL_PAIRS, Categorical, Distribution, Normal, UniformOnSphere, kl

from ...chance import CRITICAL_Z
from ...distributions.families import FAMILIES, WITH_KL, Family, as_tensors, discovered, mirrored
from ...distributions.test_distribution import remake
from ...distributions.test_distribution_kl import by_quadrature, of_vectors_by_quadrature
from ...distributions.test_pathwise import N, pathwise
from ...linear_gaussian import LinearGaussian
from ...test_bounds import random_encoder
from ...test_estimators import draws_of
from ..estimator_variance import estimator_a, estimator_s
from .page import SEED, Row, Section, error, gradient_error, z_of_cdf, z_of_mean

SHAPE = (3, 4)  # of parameters: data points by elements of the event
DRAWS = 20_000

# --------------------------------------------------------------- distributions


def distribution(name: str, family: Family) -> Row:
    """One family with three sets of 12 random parameters, which its name seeds."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    rows = [[*values(family, rng), draws(family, rng), *gradients(family, rng)] for _ in range(3)]
    worst = [None if column[0] is None else max(column) for column in zip(*rows, strict=True)]
    return Row(len(rows) * int(np.prod(SHAPE)), (*worst, expectations(family, rng)))


def values(family: Family, rng: np.random.Generator) -> tuple[float, ...]:
    """Errors of log p at 20 points, of the entropy and of the mean."""
    ours, oracle = family.random(rng, SHAPE)
    x = family.data(rng, (20, *SHAPE))
    return (
        error(ours.log_prob(x), family.log_prob(oracle, x)),
        error(ours.entropy(), oracle.entropy().sum(-1)),
        error(ours.mean, oracle.mean()),
    )


def draws(family: Family, rng: np.random.Generator) -> float:
    """The largest z of the samples: that they have the oracle's distribution, and this entropy."""
    ours, oracle = family.random(rng, SHAPE)
    x = ours.sample(backend.generator(int(rng.integers(2**32))), DRAWS)
    z = z_of_mean(-ours.log_prob(x).numpy(), ours.entropy().numpy())
    if not family.continuous:
        return max(z, z_of_mean(x.numpy(), oracle.mean()))
    return max(z, z_of_cdf(oracle.cdf(x.numpy()).reshape(DRAWS, -1).T, "uniform"))


def gradients(family: Family, rng: np.random.Generator) -> tuple[float, float | None]:
    """Errors of two orders of derivatives: of log p, and of samples by the parameters."""
    arrays = family.parameters(rng, SHAPE) if family.trained else ()
    x = family.data(rng, (2, *SHAPE))

    def log_prob(x, *parameters):
        return remake(family, rng, SHAPE, parameters).log_prob(x)

    if family.make is Categorical:  # beside a one-hot x there is no other to go to
        density = gradient_error(partial(log_prob, x), arrays, allow_zero=family.flat)
    else:
        density = gradient_error(log_prob, [x, *arrays], allow_zero=family.flat)
    if not (family.trained and family.continuous):
        return density, None
    noise = family.make(*as_tensors(arrays)).draw_noise(backend.generator(5), (2,))
    return density, gradient_error(lambda *parameters: family.make(*parameters).sample(noise), arrays)


def expectations(family: Family, rng: np.random.Generator) -> float | None:
    """The largest z of the pathwise gradients of E[f(z)], over f and the parameters."""
    if not (family.trained and family.continuous and family.independent):
        return None
    columns = (column for draws, expected in pathwise(family, rng) for column in zip(draws.T, expected, strict=True))
    return max(z_of_mean(draws, value) for draws, value in columns if draws.std() > 1e-9)  # the others never vary


DISTRIBUTIONS = Section(
    "Distributions",
    f"Every family: log p, entropy and mean against `scipy.stats`; {DRAWS:,} samples against SciPy's distribution "
    "function by Kolmogorov-Smirnov tests of every element (for bits: their mean), and the mean of -log p over them "
    "against the entropy, z; two orders of derivatives of log p by data and parameters, and of the samples by the "
    f"parameters with the noise held, against central differences; the mean of {N:,} pathwise gradients of E[f(z)], "
    "for f as z, z², log z or log(1 + z²), against derivatives of the expectation (of vectors: "
    "tests/distributions), z.",
    {
        "log p": 1e-10,
        "entropy": 1e-10,
        "mean": 1e-10,
        "samples (z)": CRITICAL_Z,
        "d log p": 1e-6,
        "d sample": 1e-6,
        "d E[f(z)] (z)": CRITICAL_Z,
    },
    lambda: {family.__name__ for family in discovered()},
    {family.__name__: partial(distribution, family.__name__, row) for family, row in FAMILIES.items()},
)

# ----------------------------------------------------------------- divergences


def pair_name(pair: tuple[type[Distribution], type[Distribution]]) -> str:
    """How the page calls a pair."""
    return f"{pair[0].__name__}, {pair[1].__name__}"


def divergence(q_family: Family, p_family: Family) -> Row:
    """KL(q || p) of 12 random pairs, then of vectors of 20."""
    rng = np.random.default_rng(SEED)
    if q_family.independent:
        (q, q_oracle), (p, p_oracle) = (family.random(rng, SHAPE) for family in (q_family, p_family))
        quadrature = error(kl(q, p), by_quadrature(q_family, q_oracle, p_family, p_oracle).sum(-1))
    else:
        (q, q_oracle), (p, p_oracle) = (family.random(rng, (2,)) for family in (q_family, p_family))
        quadrature = error(kl(q, p), of_vectors_by_quadrature(q_family, q_oracle, p_family, p_oracle))
    (q, q_oracle), (p, p_oracle) = (family.random(rng, (3, 20)) for family in (q_family, p_family))
    x = q_oracle.rvs(size=(DRAWS, 3, 20), random_state=rng)
    z = z_of_mean(q_family.log_prob(q_oracle, x) - p_family.log_prob(p_oracle, x), kl(q, p).numpy())
    return Row(int(np.prod(SHAPE)), (quadrature, z, divergence_gradients(q_family, p_family, rng)))


def divergence_gradients(q_family: Family, p_family: Family, rng: np.random.Generator) -> float:
    """The error of two orders of derivatives by the parameters of both."""
    q_arrays, p_arrays = (f.parameters(rng, SHAPE) if f.trained else () for f in (q_family, p_family))

    def f(*parameters):
        q = remake(q_family, rng, SHAPE, parameters[: len(q_arrays)])
        return kl(q, remake(p_family, rng, SHAPE, parameters[len(q_arrays) :]))

    # The direction of a mirror moves neither lengths nor volumes; nor has a sphere one.
    no_part = q_family.make is mirrored or p_family is WITH_KL[UniformOnSphere]
    return gradient_error(f, [*q_arrays, *p_arrays], allow_zero=no_part)


DIVERGENCES = Section(
    "Kullback-Leibler divergences",
    "Every closed form, KL(q || p): against quadrature of SciPy's densities, each element by itself (where they are "
    f"independent); against {DRAWS:,} draws in 20 dimensions, z; two orders of derivatives against central "
    "differences.",
    {"quadrature": 1e-10, "Monte Carlo (z)": CRITICAL_Z, "differences": 1e-6},
    lambda: {pair_name(pair) for pair in KL_PAIRS},
    {pair_name((q, p)): partial(divergence, WITH_KL[q], WITH_KL[p]) for q, p in KL_PAIRS},
)

# ------------------------------------------------------------------ estimators


def estimator_b_by_sgvb_b(likelihood, x, q, z):
    """Eq. 7 with the divergence of two general Gaussians."""
    return bounds.sgvb_b(likelihood(z).log_prob(x), kl(q, Normal(np.zeros(z.shape[-1]), 0.0))).value


BOUNDS = {
    "sgvb_a": estimator_a,
    "sgvb_b": estimator_b_by_sgvb_b,
    "score_function": estimator_s,
}


def exact_posterior(n: int = 100) -> float:
    """Estimator A under the true posterior: every sample is log p(x)."""
    rng = np.random.default_rng(SEED)
    model = LinearGaussian(rng)
    x = model.data(rng, n)
    q = model.posterior(x)
    z = q.sample(rng.normal(size=(1, *q.mean.shape)))  # one sample, so that none can make up for another
    return error(estimator_a(model.likelihood, x, q, z), model.log_marginal(x))


def bound(name: str, n: int = 100_000) -> Row:
    """An estimator over n draws on probabilistic PCA: its mean, and the mean of its gradients by q."""
    rng = np.random.default_rng(SEED)
    model = LinearGaussian(rng)
    x = model.data(rng, 2)
    encoded = random_encoder(x)
    found = draws_of(BOUNDS[name], model.likelihood, x, Normal(*encoded), n, rng)
    expected = (model.bound(x, *encoded), *model.bound_gradients(x, *encoded))
    z = max(z_of_mean(drawn, exact) for drawn, exact in zip(found, expected, strict=True))
    if name == "score_function":  # whose gradient is not that of its value
        return Row(n, (None, z, None))
    noise = rng.normal(size=(3, *encoded[0].shape))

    def value(mean, log_var, x):
        q = Normal(mean, log_var)
        return BOUNDS[name](model.likelihood, x, q, q.sample(noise))

    return Row(n, (exact_posterior() if name == "sgvb_a" else None, z, gradient_error(value, [*encoded, x])))


def importance_weighted() -> Row:
    """The logarithm of the mean weight, written out, for one group and for several."""
    rng, values, gradients = np.random.default_rng(SEED), [], []
    for groups in (1, 2, 3, 6):
        terms = rng.normal(size=(3, 6, 4))
        log_w = (terms[0] + terms[1] - terms[2]).reshape(groups, -1, 4)
        expected = np.log(np.exp(log_w).mean(1)).mean(0)
        values.append(error(bounds.importance_weighted(*map(tensor, terms), groups).value, expected))
        gradients.append(gradient_error(lambda *t, g=groups: bounds.importance_weighted(*t, g).value, list(terms)))
    return Row(4, (max(values), None, max(gradients)))


def renyi() -> Row:
    """The power mean of the weights, written out; its ends, the largest and the least; at 1 the mean logarithm."""
    rng, values, gradients = np.random.default_rng(SEED), [], []
    for alpha in (-2.0, 0.0, 0.5, 0.999, 1.0, 3.0, -1e30, 1e30):
        terms = rng.normal(size=(3, 6, 4))
        log_w = terms[0] + terms[1] - terms[2]
        if alpha == 1:
            expected = log_w.mean(0)
        elif abs(alpha) == 1e30:
            expected = log_w.max(0) if alpha < 0 else log_w.min(0)
        else:
            expected = np.log(np.exp(log_w * (1 - alpha)).mean(0)) / (1 - alpha)
        values.append(error(bounds.renyi(*map(tensor, terms), alpha).value, expected))
        if abs(alpha) < 1e30:
            gradients.append(gradient_error(lambda *t, a=alpha: bounds.renyi(*t, a).value, list(terms)))
    return Row(len(values), (max(values), None, max(gradients)))


def doubly_reparameterized() -> Row:
    """The sum with the squares of the shares, written out, in groups, with a weight on the KL and without.

    Its gradient is that of a sum in which the shares are constants.
    """
    rng, values = np.random.default_rng(SEED), []
    for groups, weight in ((1, 1.0), (2, 1.0), (3, 0.3)):
        log_w = rng.normal(size=(6, 4))
        w = np.exp(log_w).reshape(groups, -1, 4)
        share = (w / w.sum(1, keepdims=True)).reshape(6, 4)
        factor = share * (1 - weight + weight * share)
        x = tensor(log_w, requires_grad=True)
        given = () if weight == 1 else (tensor(np.array(weight)),)
        found = bounds.doubly_reparameterized(x, groups, *given)
        values.append(error(found, (factor * log_w).sum(0) / groups))
        values.append(error(backward(found.sum(), [x])[0], factor / groups))
    return Row(len(values), (max(values), None, None))


def with_rejections() -> Row:
    """The same values; and their gradient, of which the part by the ratio has each value beside the mean of others."""
    rng = np.random.default_rng(SEED)
    arrays = rng.normal(size=(2, 3, 4))
    values, log_ratio = (tensor(a, requires_grad=True) for a in arrays)
    found = bounds.with_rejections(values, log_ratio)
    by_values, by_ratio = backward(found.sum(), [values, log_ratio])
    others = (arrays[0].sum() - arrays[0]) / 11
    parts = ((found, arrays[0]), (by_values, np.ones((3, 4))), (by_ratio, arrays[0] - others))
    return Row(1, (max(error(*pair) for pair in parts), None, None))


def weight_log_prior() -> Row:
    """The prior over two weight matrices, beside SciPy's."""
    weights = [np.random.default_rng(SEED).normal(size=shape) for shape in ((5, 4), (4, 3))]
    expected = np.sum([stats.norm.logpdf(w).sum() for w in weights])
    gradient = gradient_error(lambda *w: bounds.weight_log_prior(w), weights)
    exact = error(bounds.weight_log_prior(map(tensor, weights)), expected)
    return Row(len(weights), (exact, None, gradient))


def public_functions(module: ModuleType) -> set[str]:
    """The functions that a module offers, and that are its own."""
    return {
        name
        for name, value in vars(module).items()
        if callable(value) and not isinstance(value, type) and not name.startswith("_")
        if value.__module__ == module.__name__
    }


ESTIMATORS = Section(
    "Bounds and estimators",
    "On probabilistic PCA, where log p(x), the posterior and the bound are known: the mean of 100,000 draws, and of "
    "their gradients, against the exact bound and its gradients, z; under the exact posterior, each sample of Eq. 6 "
    "against log p(x). Importance "
    "weights, powers of them and sums by the squares of their shares written out. The weights' prior "
    "against `scipy.stats`.",
    {"exact value": 1e-11, "mean of draws (z)": CRITICAL_Z, "differences": 1e-6},
    lambda: public_functions(bounds),
    {name: partial(bound, name) for name in BOUNDS}
    | {
        "importance_weighted": importance_weighted,
        "renyi": renyi,
        "doubly_reparameterized": doubly_reparameterized,
        "with_rejections": with_rejections,
        "weight_log_prior": weight_log_prior,
    },
)
SECTIONS = [DISTRIBUTIONS, DIVERGENCES, ESTIMATORS]
