"""Every pair with a closed form, against quadrature, Monte Carlo, and what any KL must satisfy."""

import sys

import numpy as np
import pytest
from scipy import integrate, special

from minivae.autodiff import tensor
from minivae.distributions import (
    KL_PAIRS,
    Bernoulli,
    Categorical,
    Dirichlet,
    Distribution,
    HouseholderFlow,
    MultivariateNormal,
    Normal,
    Product,
    StandardNormal,
    UniformOnSphere,
    VonMisesFisher,
    kl,
    kl_by_dimension,
    register_kl,
)
from minivae.errors import InputError
from minivae.gradcheck import check_gradients

from ..chance import assert_mean
from ..doubles.strict_device import strict
from .extremes import assert_finite_gradients, float32
from .families import WITH_KL, as_tensors, mirrored

EVENT, M = 4, 3
# The families of a pair come from their table, so a new pair is tested by being registered.


def pairs(wanted=lambda family: True):
    found = [(WITH_KL[q], WITH_KL[p], f"{q.__name__}-{p.__name__}") for q, p in KL_PAIRS]
    rows = [pytest.param(q, p, id=name) for q, p, name in found if wanted(q) and wanted(p)]
    return pytest.mark.parametrize(("q_family", "p_family"), rows)


EVERY_PAIR = pairs()


def by_quadrature(q_family, q, p_family, p):
    """E_q[log q - log p] of SciPy's frozen distributions, each element of the event by itself."""
    if not q_family.continuous:
        return sum(q.pmf(x) * (q.logpmf(x) - p.logpmf(x)) for x in (0, 1))

    def integrand(t):  # over x at the quantile sigmoid(t) of q, so that one range fits all elements
        x = q.ppf(special.expit(t)) if t < 0 else q.isf(special.expit(-t))
        return special.expit(t) * special.expit(-t) * (q.logpdf(x) - p.logpdf(x))

    kinks = [special.logit(q.cdf(p.mean())).ravel(), [0.0]] if p_family.kinked else [[]]
    points = [t for t in np.concatenate(kinks) if abs(t) < 35]
    # Beyond 35 lie 6e-16 of q.
    return integrate.quad_vec(integrand, -35, 35, epsabs=1e-13, epsrel=1e-13, norm="max", points=points or None)[0]


@pairs(lambda row: row.independent)
@pytest.mark.parametrize(
    ("q_shape", "p_shape"),
    [
        ((1,), (1,)),
        ((EVENT,), (EVENT,)),
        ((20, M, EVENT), (M, EVENT)),
        ((M, EVENT), (EVENT,)),
        ((EVENT,), (M, EVENT)),
        ((M, EVENT), (2, 1, EVENT)),
    ],
)
def test_against_quadrature(q_family, p_family, q_shape, p_shape, rng, backend_name):
    q, q_oracle = q_family.random(rng, q_shape, backend=backend_name)
    p, p_oracle = p_family.random(rng, p_shape, backend=backend_name)
    elements = by_quadrature(q_family, q_oracle, p_family, p_oracle)
    divergence = kl(q, p)
    assert divergence.shape == elements.shape[:-1]
    np.testing.assert_allclose(divergence.numpy(), elements.sum(-1), rtol=1e-10, atol=1e-12)


def plane(q):
    """Points of the plane and the area that each stands for."""
    t, area = np.linspace(-12, 12, 481), np.prod(np.sqrt(q.var())) * (24 / 480) ** 2
    axes = [mean + stddev * t for mean, stddev in zip(q.mean(), np.sqrt(q.var()), strict=True)]
    return np.stack(np.meshgrid(*axes), -1), area


def simplex(q):
    """Vectors of two elements that add up to 1, and the length that each stands for."""
    t = np.linspace(-90, 90, 1801)
    low, high = special.expit(t), special.expit(-t)
    return np.stack([low, high], -1), low * high * (180 / 1800)


def ends(q):
    """Both one-hot vectors of two elements."""
    return np.eye(2), 1.0


def circle(q):
    """Directions in the plane and the angle that each stands for."""
    t = np.arange(720) * (2 * np.pi / 720)
    return np.stack([np.cos(t), np.sin(t)], -1), 2 * np.pi / 720


REGIONS = {
    VonMisesFisher: circle,
    Categorical: ends,
    Dirichlet: simplex,
    MultivariateNormal: plane,
    HouseholderFlow: plane,
}


def of_vectors_by_quadrature(q_family, q, p_family, p):
    """For two elements, by the trapezoidal rule, which is exact to rounding for what falls to zero at both ends."""
    x, weights = REGIONS[HouseholderFlow if q_family.make is mirrored else q_family.make](q)
    log_q = q_family.log_prob(q, x)
    np.testing.assert_allclose(np.sum(weights * np.exp(log_q)), 1, rtol=1e-11)
    return np.sum(weights * np.exp(log_q) * (log_q - p_family.log_prob(p, x)))


@pytest.mark.parametrize("pair", [pair for pair in KL_PAIRS if pair[0] in REGIONS])
def test_vectors_of_two_elements_against_quadrature(pair, rng):
    q_family, p_family = (WITH_KL[name] for name in pair)
    for _ in range(5):
        (q, q_oracle), (p, p_oracle) = (family.random(rng, (2,)) for family in (q_family, p_family))
        expected = of_vectors_by_quadrature(q_family, q_oracle, p_family, p_oracle)
        np.testing.assert_allclose(kl(q, p).item(), expected, rtol=1e-10)


def test_every_pair_is_held_against_quadrature():
    assert all(WITH_KL[q].independent or q in REGIONS for q, _ in KL_PAIRS)


@EVERY_PAIR
def test_against_monte_carlo_in_many_dimensions(q_family, p_family, rng):
    """z-test, with both the draws and the densities from SciPy."""
    (q, q_oracle), (p, p_oracle) = (family.random(rng, (M, 20)) for family in (q_family, p_family))
    x = q_oracle.rvs(size=(20_000, M, 20), random_state=rng)
    assert_mean(q_family.log_prob(q_oracle, x) - p_family.log_prob(p_oracle, x), kl(q, p).numpy())


@EVERY_PAIR
def test_an_empty_batch_has_no_divergences(q_family, p_family, rng):
    (q, _), (p, _) = (family.random(rng, (0, EVENT)) for family in (q_family, p_family))
    assert kl(q, p).shape == (0,)


@EVERY_PAIR
def test_never_negative_and_zero_only_between_equals(q_family, p_family, rng):
    (q, _), (p, _) = (family.random(rng, (50, EVENT)) for family in (q_family, p_family))
    assert (kl(q, p).numpy() > 0).all()
    for distribution in (q, p)[q_family.make is mirrored :]:  # which has a KL to N(0, I) alone
        np.testing.assert_allclose(kl(distribution, distribution).numpy(), 0, atol=1e-12)


@EVERY_PAIR
@pytest.mark.parametrize("order", [1, 2])
def test_gradients(q_family, p_family, order, rng):
    q_arrays, p_arrays = (f.parameters(rng, (M, EVENT)) if f.trained else () for f in (q_family, p_family))
    constant = as_tensors((np.zeros((M, EVENT)),))

    def divergence(*values):
        q_values, p_values = values[: len(q_arrays)], values[len(q_arrays) :]
        return kl(q_family.make(*(q_values or constant)), p_family.make(*(p_values or constant)))

    # Of the direction, which moves neither lengths nor volumes; nor has a sphere one.
    no_part = q_family.make is mirrored or p_family is WITH_KL[UniformOnSphere]
    check_gradients(divergence, [*q_arrays, *p_arrays], order=order, mode="jacobian", allow_zero=no_part)


@EVERY_PAIR
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtype_stays_on_a_device_without_waiting(q_family, p_family, dtype, rng):
    q, p = (family.random(rng, (M, EVENT), dtype, "strict")[0] for family in (q_family, p_family))
    with strict.counter.forbid_synchronization(), strict.counter.forbid_transfers():
        assert kl(q, p).dtype == dtype


# ------------------------------------------------------------- which rule is used


def test_the_rule_for_the_standard_normal_agrees_with_the_general_one(rng):
    q, _ = WITH_KL[Normal].random(rng, (M, EVENT))
    special = kl(q, StandardNormal(EVENT, q.mean)).numpy()
    np.testing.assert_allclose(special, kl(q, Normal(np.zeros(EVENT), 0.0)).numpy(), rtol=1e-13)


def test_appendix_b_written_out(rng):
    mean, log_var = rng.normal(size=(M, EVENT)), rng.normal(size=(M, EVENT))
    q = Normal(*as_tensors((mean, log_var)))
    expected = [
        -0.5 * sum(1 + log_var[i, j] - mean[i, j] ** 2 - np.exp(log_var[i, j]) for j in range(EVENT)) for i in range(M)
    ]
    np.testing.assert_allclose(kl(q, StandardNormal(EVENT, q.mean)).numpy(), expected, rtol=1e-13)


def test_a_family_uses_the_rule_of_its_nearest_base(rng):
    class Special(Normal):
        pass

    q, _ = WITH_KL[Normal].random(rng, (EVENT,))
    special = Special(q.mean, q.log_var)
    standard = StandardNormal(EVENT, q.mean)
    assert kl(special, standard).item() == kl(q, standard).item()
    # The standard normal as q has the rule of a Normal.
    assert kl(standard, q).item() == kl(Normal(np.zeros(EVENT), 0.0), q).item()
    assert kl(standard, standard).item() == 0


def test_a_rule_can_be_added(monkeypatch):
    class New(Distribution):
        pass

    pairs = dict(KL_PAIRS)
    monkeypatch.setattr(sys.modules["minivae.distributions.distribution"], "KL_PAIRS", pairs)

    @register_kl(New, New)
    def rule(q, p):
        return "found"

    assert pairs[New, New] is rule
    assert kl(New(), New()) == "found"


def test_an_unknown_pair_says_what_to_do(rng):
    normal, bernoulli = Normal(np.zeros(EVENT), 0.0), Bernoulli(np.zeros(EVENT))
    for q, p in ((normal, bernoulli), (bernoulli, normal)):
        names = f"q a {type(q).__name__}, p a {type(p).__name__}"
        with pytest.raises(InputError, match=f"no closed-form KL is known for {names}; expected"):
            kl(q, p)


def test_a_prior_of_another_size_is_refused():
    q = Normal(np.zeros((M, 3)), 0.0)
    with pytest.raises(InputError, match=r"q is over \(3, 3\) and p over \(2,\); expected events of one length"):
        kl(q, StandardNormal(2, q.mean))


# --------------------------------------------------------------- extreme values


@pytest.mark.parametrize("q_log_var", [-30.0, 0.0, 30.0])
@pytest.mark.parametrize("p_log_var", [-30.0, 0.0, 30.0])
def test_extreme_variances_in_float32(q_log_var, p_log_var):
    difference = 3.0
    variables = float32(difference, q_log_var, 0.0, p_log_var)
    divergence = kl(Normal(*variables[:2]), Normal(*variables[2:]))
    log_ratio = q_log_var - p_log_var
    expected = 0.5 * (np.expm1(log_ratio) - log_ratio + difference**2 * np.exp(-p_log_var))
    np.testing.assert_allclose(divergence.item(), expected, rtol=1e-5, atol=0)
    assert_finite_gradients(divergence, variables)


@pytest.mark.parametrize("log_var", [-30.0, 30.0])
def test_extreme_variances_beside_the_standard_normal_in_float32(log_var):
    variables = float32(3.0, log_var)
    divergence = kl(Normal(*variables), StandardNormal(1, variables[0]))
    np.testing.assert_allclose(divergence.item(), 0.5 * (9 + np.exp(log_var) - log_var - 1), rtol=1e-6)
    assert_finite_gradients(divergence, variables)


@pytest.mark.parametrize(
    ("q_logit", "p_logit", "expected"),
    [
        (1e4, 1e4, 0.0),
        (1e4, -1e4, 1e4),
        (-1e4, 1e4, 1e4),
        (-90.0, 90.0, 90.0),
        (0.0, 1e4, 5e3 - np.log(2)),
        (1e4, 0.0, np.log(2)),
    ],
)
def test_extreme_logits_in_float32(q_logit, p_logit, expected):
    variables = float32(q_logit, p_logit)
    divergence = kl(Bernoulli(variables[0]), Bernoulli(variables[1]))
    np.testing.assert_allclose(divergence.item(), expected, rtol=1e-6, atol=1e-6)
    assert_finite_gradients(divergence, variables)


@pairs(lambda row: row.trained)
def test_denormal_parameters_in_float32(q_family, p_family, rng):
    shapes = [array.shape for family in (q_family, p_family) for array in family.parameters(rng, (2,))]
    tiny = [tensor(np.full(s, (-1) ** i * 1e-40), "float32", requires_grad=True) for i, s in enumerate(shapes)]
    half = len(tiny) // 2
    divergence = kl(q_family.make(*tiny[:half]), p_family.make(*tiny[half:]))
    np.testing.assert_allclose(divergence.numpy(), 0, atol=1e-6)
    assert_finite_gradients(divergence, tiny)


def test_a_small_divergence_keeps_its_digits_in_float32():
    log_var = np.float32(1e-3)
    expected = 0.5 * (np.expm1(np.float64(log_var)) - np.float64(log_var))
    q = Normal(np.zeros(1, np.float32), np.array([log_var]))
    for p in (StandardNormal(1, q.mean), Normal(q.mean, 0.0)):
        np.testing.assert_allclose(kl(q, p).item(), expected, rtol=1e-3)


# ------------------------------------------------------------- by dimension

NORMALS = Normal(np.array([[0.5, -1.0, 2.0]]), np.array([[0.3, -2.0, 1.0]])), Normal(np.ones((1, 3)), -np.ones((1, 3)))
CATEGORICALS = Categorical(np.arange(12.0).reshape(2, 6), 3), Categorical(np.cos(np.arange(12.0)).reshape(2, 6), 3)
PARTS = {
    "normal-normal": (*NORMALS, 3),
    "normal-standard": (NORMALS[0], StandardNormal(3, tensor(np.zeros(1))), 3),
    "categorical": (*CATEGORICALS, 2),
    "product": (Product([NORMALS[0], NORMALS[1]]), Product(NORMALS[::-1]), 6),
}


@pytest.mark.parametrize(("q", "p", "parts"), PARTS.values(), ids=PARTS)
def test_the_parts_by_dimension_are_those_of_each_alone_and_sum_up(q, p, parts):
    found = kl_by_dimension(q, p).numpy()
    assert found.shape == (*q.shape[:-1], parts)
    np.testing.assert_allclose(found.sum(-1), kl(q, p).numpy(), rtol=1e-12)
    if isinstance(q, Product):
        alone = [
            kl_by_dimension(*pair).numpy()[..., i] for pair in zip(q.parts, p.parts, strict=True) for i in range(3)
        ]
    elif isinstance(q, Normal):
        alone = [kl(*(Normal(x.mean[..., i : i + 1], log_var(x, i)) for x in (q, p))).numpy() for i in range(parts)]
    else:
        each = [[Categorical(x.log_p[:, i]) for x in (q, p)] for i in range(parts)]
        alone = [kl(*pair).numpy() for pair in each]
    np.testing.assert_allclose(found, np.stack(alone, axis=-1), rtol=1e-12)


def log_var(x, i):
    return x.log_var[..., i : i + 1] if x.log_var.shape else x.log_var


def test_dimensions_that_depend_on_each_other_have_no_parts():
    q = MultivariateNormal(np.zeros(3), np.zeros((3, 3)))
    with pytest.raises(InputError, match="no KL by dimension is known for q a MultivariateNormal, p a StandardNormal"):
        kl_by_dimension(q, StandardNormal(3, tensor(np.zeros(1))))
