"""The aggregate posterior of a minibatch: weights, sums beside SciPy, the parts of the KL, far numbers, gradients."""

import itertools
import math

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import norm

from minivae import backend
from minivae.autodiff import Tensor, grad, tensor
from minivae.distributions import ExpConcrete, Normal, Product, StandardNormal
from minivae.errors import InputError
from minivae.gradcheck import check_gradients
from minivae.regularizers import WEIGHTINGS, log_aggregate, log_ratios, log_weights, split_kl

from ..doubles.strict_device import strict

L, B, D = 2, 5, 4
N = 37
EVERY_WEIGHTING = pytest.mark.parametrize("weighting", WEIGHTINGS)


@pytest.fixture
def drawn(rng):
    """Posteriors ``(B, D)`` and draws ``(L, B, D)``, as arrays."""
    mean, log_var = rng.normal(size=(B, D)), rng.normal(size=(B, D)) - 1
    return mean, log_var, mean + np.exp(log_var / 2) * rng.normal(size=(L, B, D))


def parts(mean, log_var, z, n=N, weighting="mss", sizes=None):
    q, p = Normal(tensor(mean), tensor(log_var)), StandardNormal(mean.shape[1], tensor(mean))
    options = {"data_points": n, "weighting": weighting, "group_sizes": sizes}
    return split_kl(q, z, q.log_prob(z), p.log_prob(z), **options)


def weight(i, j, n, weighting):
    """w_ij, as the docstring has it."""
    if weighting == "mws":
        return 1 / (n * B)
    own, others = (0, 1 / (B - 1)) if weighting == "loo" else (1 / n, (n - 1) / (n * (B - 1)))
    return own if i == j else others


@EVERY_WEIGHTING
@pytest.mark.parametrize("n", [1, B, N, 10**7])
def test_the_weights_and_what_their_rows_sum_to(weighting, n):
    found = np.exp(log_weights(B, n, weighting, tensor(np.zeros(1))).numpy())
    n = max(n, B)
    expected = [[weight(i, j, n, weighting) for j in range(B)] for i in range(B)]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-300)
    np.testing.assert_allclose(found.sum(1), 1 / n if weighting == "mws" else 1, rtol=1e-12)


def test_the_stratified_weights_are_the_mean_over_minibatches_of_those_of_all_data():
    """Of minibatches with point 0 among N points: what q(z|x_j) weighs in the mean is 1/N for every j."""
    n, total = 6, np.zeros(6)
    weights = np.exp(log_weights(B, n, "mss", tensor(np.zeros(1))).numpy())
    minibatches = [(0, *others) for others in itertools.combinations(range(1, n), B - 1)]
    for minibatch in minibatches:
        total[list(minibatch)] += weights[0] / len(minibatches)
    np.testing.assert_allclose(total, 1 / n, rtol=1e-12)


@EVERY_WEIGHTING
def test_the_parts_beside_scipy(weighting, drawn):
    mean, log_var, z = drawn
    log_each = norm.logpdf(z[:, :, None], mean, np.exp(log_var / 2))  # (L, B, B, D)
    w = np.array([[weight(i, j, N, weighting) for j in range(B)] for i in range(B)])
    groups = [(0,), (1, 2), (3,)]

    def log_q(dims):
        return logsumexp(log_each[..., dims].sum(-1), axis=-1, b=w)

    joint, of_groups = log_q(range(D)), sum(log_q(list(dims)) for dims in groups)
    each = sum(log_q([j]) for j in range(D))
    own = norm.logpdf(z, mean, np.exp(log_var / 2)).sum(-1)
    found = parts(mean, log_var, z, weighting=weighting, sizes=(1, 2, 1))
    expected = own - joint, joint - of_groups, of_groups - each, each - norm.logpdf(z).sum(-1)
    for name, value in zip(found._fields, expected, strict=True):
        np.testing.assert_allclose(getattr(found, name).numpy(), value, rtol=1e-9, atol=1e-11, err_msg=name)


@EVERY_WEIGHTING
@pytest.mark.parametrize("sizes", [None, (4,), (1, 1, 1, 1), (3, 1)])
def test_the_parts_sum_to_the_kl_of_each_draw(weighting, sizes, drawn):
    mean, log_var, z = drawn
    found = parts(mean, log_var, z, weighting=weighting, sizes=sizes)
    expected = norm.logpdf(z, mean, np.exp(log_var / 2)).sum(-1) - norm.logpdf(z).sum(-1)
    np.testing.assert_allclose(sum(part.numpy() for part in found), expected, rtol=1e-12, atol=1e-12)


def test_single_dimensions_have_no_dependence_within_and_one_group_none_between(drawn):
    alone, together = (parts(*drawn, sizes=sizes) for sizes in ((1,) * D, (D,)))
    for found, expected in zip(alone, parts(*drawn), strict=True):
        np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-12)
    assert not alone.within.numpy().any()
    assert not together.between.numpy().any()
    np.testing.assert_allclose(together.within.numpy(), alone.between.numpy(), rtol=1e-12)


def test_one_dimension_depends_on_no_other(drawn):
    mean, log_var, z = (array[..., :1] for array in drawn)
    assert not parts(mean, log_var, z).between.numpy().any()


def test_equal_posteriors_have_no_information(rng):
    mean, log_var = np.zeros((B, D)) + rng.normal(size=D), np.zeros((B, D)) + rng.normal(size=D)
    z = rng.normal(size=(L, B, D))
    np.testing.assert_allclose(parts(mean, log_var, z).information.numpy(), 0, atol=1e-12)
    np.testing.assert_allclose(parts(mean, log_var, z, weighting="mws").information.numpy(), math.log(N), rtol=1e-12)
    # Each of the D + 1 logarithms is too low by log N.
    np.testing.assert_allclose(
        parts(mean, log_var, z, weighting="mws").between.numpy(), (D - 1) * math.log(N), rtol=1e-12
    )


@EVERY_WEIGHTING
def test_far_posteriors_are_finite(weighting):
    """Points that no other posterior reaches: log q(z) is the own weight's, or that of the next point."""
    mean = np.arange(B)[:, None] * np.full(D, 1e4)
    found = parts(mean, np.full((B, D), -20.0), mean[None], weighting=weighting)
    assert all(np.isfinite(part.numpy()).all() for part in found)
    own = {"mss": math.log(N), "mws": math.log(N * B), "loo": None}[weighting]
    if own is not None:
        np.testing.assert_allclose(found.information.numpy(), own, rtol=1e-12)
        np.testing.assert_allclose(found.between.numpy(), (D - 1) * own, rtol=1e-12)


def test_variables_of_several_kinds_stand_beside_each_other(rng):
    """A relaxed categorical variable is one, whose ratio is that of its densities."""
    mean, log_var, logits = rng.normal(size=(B, 2)), rng.normal(size=(B, 2)), rng.normal(size=(B, 3))
    q = Product([Normal(mean, log_var), ExpConcrete(logits, 0.6), Normal(mean[:, :1], 0.3)])
    z = q.sample(backend.generator(0), L).numpy()
    found = log_ratios(q, z).numpy()
    assert found.shape == (L, B, B, 4)
    np.testing.assert_array_equal(found[..., :2], log_ratios(Normal(mean, log_var), z[..., :2]).numpy())
    np.testing.assert_array_equal(found[..., 3:], log_ratios(Normal(mean[:, :1], 0.3), z[..., 5:]).numpy())
    for sample, i, j in itertools.product(range(L), range(B), range(B)):
        under, own = (float(ExpConcrete(logits[k], 0.6).log_prob(z[sample, i, 2:5])) for k in (j, i))
        assert found[sample, i, j, 2] == pytest.approx(under - own, abs=1e-10)


@EVERY_WEIGHTING
def test_gradients(weighting, drawn):
    def total(mean, log_var, z):
        found = parts_of(mean, log_var, z, weighting)
        return found.information * 0.7 + found.between * 1.9 + found.within * 0.3 + found.dimensions

    def parts_of(mean, log_var, z, weighting):
        q, p = Normal(mean, log_var), StandardNormal(D, mean)
        options = {"data_points": N, "weighting": weighting, "group_sizes": (3, 1)}
        return split_kl(q, z, q.log_prob(z), p.log_prob(z), **options)

    mean, log_var, z = drawn
    check_gradients(total, [mean, log_var * 0.3 + 0.7, z], order=2)


def test_nothing_is_lost_in_float32_where_variances_are_large(drawn):
    mean, _, z = drawn
    wide, narrow = (parts(*(a.astype(t) for a in (mean, np.full((B, D), 30.0), z))) for t in ("float64", "float32"))
    for name in ("information", "between"):
        np.testing.assert_allclose(getattr(narrow, name).numpy(), getattr(wide, name).numpy(), atol=1e-6)
        assert getattr(narrow, name).dtype == "float32"


def test_it_stays_on_its_device(drawn):
    mean, log_var, z = (tensor(array.astype("float32"), backend="strict") for array in drawn)
    q = Normal(mean, log_var)
    with strict.counter.forbid_synchronization(), strict.counter.forbid_dtype("float64"):
        found = split_kl(q, z, q.log_prob(z), q.log_prob(z), data_points=float(N), group_sizes=(1, 3))
        grad(lambda mean: split_kl(Normal(mean, log_var), z, *[q.log_prob(z)] * 2, data_points=9.0).between.sum())(mean)
    assert isinstance(found.between, Tensor)


def test_shapes_that_do_not_go_together_are_refused(drawn):
    mean, log_var, z = drawn
    for sizes in ((3,), (2, 3), ()):
        with pytest.raises(InputError, match=r"group_sizes is .*; expected 4 of them"):
            parts(mean, log_var, z, sizes=sizes)
    ratios = log_ratios(Normal(mean, log_var), z)
    with pytest.raises(InputError, match="log_w has shape"):
        log_aggregate(ratios, np.zeros((B, B + 1)))
    with pytest.raises(InputError, match="batch is 1; expected at least 2"):
        log_weights(1, N, "mss", ratios)
