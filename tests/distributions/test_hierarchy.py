"""A hierarchy of Gaussians: as one Gaussian where all is linear; its residual posterior, KL by KL; refusals."""

import numpy as np
import pytest
from scipy import special, stats

from minivae import backend
from minivae.autodiff import Tensor, as_tensor, concatenate, matmul, tanh, tensor
from minivae.autodiff import sum as total
from minivae.distributions import Hierarchy, Normal, Residual, StandardNormal, TopDown, kl, kl_by_dimension
from minivae.errors import InputError
from minivae.gradcheck import check_gradients

from ..chance import assert_mean

M, L, LENGTHS, N = 4, 6, (2, 3, 1), 20_000


class Linear(TopDown):
    """mu_p of level l is A_l applied to all z above, sigma_p^2 is e^c_l; the state is the z above themselves."""

    def __init__(self, rng, lengths=LENGTHS):
        above = np.cumsum(lengths)
        self.lengths = lengths
        self.maps = [rng.normal(size=(n, m)) for n, m in zip(above, lengths[1:], strict=False)]
        self.log_vars = [rng.normal(size=m) for m in lengths[1:]]

    def conditional(self, level, state):
        mean = matmul(state, as_tensor(self.maps[level - 1]))
        return Normal(mean, tensor(self.log_vars[level - 1]))

    def below(self, level, state, z):
        return z if state is None else concatenate([state, z], axis=-1)

    def covariance(self):
        """Of all levels."""
        c = np.eye(self.lengths[0])
        for a, v in zip(self.maps, self.log_vars, strict=True):
            c = np.block([[c, c @ a], [a.T @ c, a.T @ c @ a + np.diag(np.exp(v))]])
        return c


class Offsets:
    """dmu and log dsigma^2 that depend on x and, below the top, on the z above."""

    def __init__(self, rng, m=M, lengths=LENGTHS):
        self.own = [(rng.normal(size=(m, n)), 0.5 * rng.normal(size=(m, n))) for n in lengths]
        above = np.cumsum(lengths)
        self.maps = [rng.normal(size=(n, m)) for n, m in zip(above, lengths[1:], strict=False)]

    def __call__(self, level, state):
        shift, log_ratio = (as_tensor(a) for a in self.own[level])
        return (shift + tanh(matmul(state, as_tensor(self.maps[level - 1]))) if level else shift), log_ratio


LIKE = Tensor(np.zeros(1))


def posterior(rng):
    down = Linear(rng)
    return Hierarchy(down, LIKE, Offsets(rng), (M,)), Hierarchy(down, LIKE)


@pytest.mark.parametrize("lead", [(), (M,), (L, M), (0,)])
def test_log_prob_is_that_of_the_gaussian_of_all_levels(lead, rng):
    down = Linear(rng)
    x = rng.normal(0, 2, (*lead, 6))
    found = Hierarchy(down, LIKE).log_prob(x)
    assert found.shape == lead
    expected = stats.multivariate_normal(cov=down.covariance()).logpdf(x) if x.size else np.zeros(lead)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-11)


def test_samples_have_the_moments_of_it(rng):
    down = Linear(rng)
    z = Hierarchy(down, LIKE).sample(backend.generator(0), N).numpy()
    for i, j in zip(*np.triu_indices(6), strict=True):
        assert_mean(z[:, i] * z[:, j], down.covariance()[i, j])


def test_a_draw_is_each_level_given_those_above_and_knows_its_density(rng):
    q, _ = posterior(rng)
    noise = rng.normal(size=(L, M, 6))
    z, log_q = q.sample_with_log_prob(noise)
    np.testing.assert_array_equal(q.sample(noise).numpy(), z.numpy())
    np.testing.assert_allclose(q.log_prob(z).numpy(), log_q.numpy(), rtol=1e-10)
    first, others = noise[..., :2], z.numpy()[..., :2]
    shift, log_ratio = q.offsets.own[0]
    np.testing.assert_allclose(others, shift + np.exp(log_ratio / 2) * first, rtol=1e-12)
    below = z.numpy()[..., 2:5]
    shift = q.offsets.own[1][0] + np.tanh(others @ q.offsets.maps[0])
    scale = np.exp((q.down.log_vars[0] + q.offsets.own[1][1]) / 2)
    np.testing.assert_allclose(below, others @ q.down.maps[0] + shift + scale * noise[..., 2:5], rtol=1e-10)


def test_its_mean_goes_down_by_the_means(rng):
    q, p = posterior(rng)
    np.testing.assert_array_equal(q.mean.numpy(), q.sample(np.zeros((M, 6))).numpy())
    np.testing.assert_array_equal(p.mean.numpy(), np.zeros(6))
    np.testing.assert_array_equal(q.sample(0.0).numpy(), q.mean.numpy())


def test_the_kl_of_a_residual_is_the_formula_and_that_of_two_gaussians(rng):
    """1/2 (dmu^2 / sigma_p^2 + dsigma^2 - log dsigma^2 - 1)."""
    mean, log_var, shift, log_ratio = rng.normal(size=(4, L, M, 3))
    p = Normal(mean, log_var)
    q = Residual(p, shift, log_ratio)
    found = q.divergence().numpy()
    np.testing.assert_allclose(
        found, 0.5 * (shift**2 / np.exp(log_var) + np.exp(log_ratio) - log_ratio - 1), rtol=1e-12
    )
    np.testing.assert_allclose(found, kl_by_dimension(q, p).numpy(), rtol=1e-10)
    np.testing.assert_allclose(found.sum(-1), kl(q, p).numpy(), rtol=1e-10)


def test_the_kl_of_a_residual_near_nothing_keeps_its_digits():
    """Beside a mean of 1e6 the difference of two float32 means has none left."""
    p = Normal(tensor(np.full((1, 1), 1e6), "float32"), 0.0)
    q = Residual(p, np.full((1, 1), 1e-3), np.full((1, 1), 1e-4))
    np.testing.assert_allclose(q.divergence().numpy(), 0.5 * (1e-6 + 0.5e-8), rtol=1e-3)


def test_the_kls_sum_in_expectation_to_log_q_minus_log_p(rng):
    q, p = posterior(rng)
    noise = rng.normal(size=(N, M, 6))
    kls = q.drawn(noise).kls()
    assert [k.shape for k in kls] == [(M,), (N, M), (N, M)]
    z, log_q = q.sample_with_log_prob(noise)
    differences = log_q.numpy() - p.log_prob(z).numpy() - sum(k.numpy() for k in kls)
    for column in differences.T:
        assert_mean(column, 0.0)


def test_no_offset_is_the_prior(rng):
    down = Linear(rng)
    nothing = lambda level, _: (tensor(np.zeros((M, down.lengths[level]))),) * 2  # noqa: E731
    q, p = Hierarchy(down, LIKE, nothing, (M,)), Hierarchy(down, LIKE)
    noise = rng.normal(size=(L, M, 6))
    np.testing.assert_array_equal(q.sample(noise).numpy(), p.sample(noise).numpy())
    assert all(not k.numpy().any() for k in q.drawn(noise).kls())


class TwoLevels:
    """x = b z_1 + c z_2 + noise, z_2 = a z_1 + noise, one number each: q(z_1|x), q(z_2|z_1, x) are Gaussians."""

    a, s, sigma = 0.7, 0.5, 0.6

    def __init__(self, rng, data=5):
        self.b, self.c = rng.normal(size=(2, data))
        down = Linear(rng, (1, 1))
        down.maps, down.log_vars = [np.array([[self.a]])], [np.array([2 * np.log(self.s)])]
        self.down = down

    def log_marginal(self, x):
        weight = np.stack([self.b, self.c])
        return stats.multivariate_normal(
            cov=weight.T @ self.down.covariance() @ weight + self.sigma**2 * np.eye(len(self.b))
        ).logpdf(x)

    def posterior(self, x, worse=0.0):
        """p(z|x) as a residual one, by the rules for Gaussians; ``worse``: off by that much."""
        noise = self.s**2 * np.outer(self.c, self.c) + self.sigma**2 * np.eye(len(self.b))
        first = self.b + self.a * self.c
        variance = 1 / (1 + first @ np.linalg.solve(noise, first))
        mean = variance * (np.linalg.solve(noise, first) @ x.T)[:, None]
        below = 1 / (1 / self.s**2 + self.c @ self.c / self.sigma**2)

        def offsets(level, state):
            if not level:
                return tensor(mean + worse), tensor(np.full_like(mean, np.log(variance) + worse))
            given = ((tensor(x) - state * tensor(self.b)) * tensor(self.c)).numpy().sum(-1, keepdims=True)
            z = state.numpy()
            shift = below * (self.a * z / self.s**2 + given / self.sigma**2) - self.a * z
            return tensor(shift + worse), tensor(np.full_like(shift, np.log(below / self.s**2)))

        return Hierarchy(self.down, LIKE, offsets, (len(x),))

    def log_w(self, x, q, z, log_q):
        mean = z[..., :1] * self.b + z[..., 1:] * self.c
        log_p = stats.norm(mean, self.sigma).logpdf(x).sum(-1)
        return log_p + Hierarchy(self.down, LIKE).log_prob(z).numpy() - log_q


def test_with_the_exact_posterior_every_draw_weighs_p_of_x(rng):
    bench, x = TwoLevels(rng), rng.normal(size=(M, 5))
    q = bench.posterior(x)
    z, log_q = (t.numpy() for t in q.sample_with_log_prob(rng.normal(size=(L, M, 2))))
    np.testing.assert_allclose(bench.log_w(x, q, z, log_q), np.tile(bench.log_marginal(x), (L, 1)), rtol=1e-11)


def test_with_another_the_mean_weight_is_p_of_x(rng):
    bench, x = TwoLevels(rng), rng.normal(size=(M, 5))
    q = bench.posterior(x, worse=0.2)
    z, log_q = (t.numpy() for t in q.sample_with_log_prob(rng.normal(size=(N, M, 2))))
    log_w = bench.log_w(x, q, z, log_q)
    for column, exact in zip(log_w.T, bench.log_marginal(x), strict=True):
        assert_mean(np.exp(column - exact), 1.0)
    assert (special.logsumexp(log_w, axis=0) - np.log(N) > log_w.mean(0) + 0.005).all()  # the bound is below


def test_gradients(rng):
    down = Linear(rng)
    q, p = Hierarchy(down, LIKE, Offsets(rng, 2), (2,)), Hierarchy(down, LIKE)
    noise = rng.normal(size=(2, 2, 6))

    def f(shift, log_ratio, a):
        q.offsets.own[1], q.down.maps[1] = (shift, log_ratio), a
        z, log_q = q.sample_with_log_prob(noise)
        return log_q - p.log_prob(z) * 2.0 + sum(q.drawn(noise).kls()) + total(tanh(z), axis=-1)

    check_gradients(f, [*q.offsets.own[1], q.down.maps[1]], order=2)


def test_the_top_is_standard_normal(rng):
    found = Hierarchy(Linear(rng), LIKE).drawn(rng.normal(size=(L, 6)))
    assert type(found.given[0]) is StandardNormal
    np.testing.assert_array_equal(found.state.numpy(), found.z.numpy())


class TopAlone(Linear):
    """The state is z_1."""

    def below(self, level, state, z):
        return z if state is None else state


def test_a_top_with_several_draws_below_is_repeated(rng):
    levels = rng.normal(size=(M, 2)), rng.normal(size=(L, M, 3))
    found = Hierarchy(TopAlone(rng, (2, 3)), LIKE).descend(lambda i, _: tensor(levels[i]))
    expected = np.concatenate([np.broadcast_to(levels[0], (L, M, 2)), levels[1]], axis=-1)
    np.testing.assert_array_equal(found.z.numpy(), expected)


def test_what_it_has_not_is_refused(rng):
    q, p = posterior(rng)
    with pytest.raises(InputError, match="no closed-form KL is known for q a Hierarchy, p a Hierarchy"):
        kl(q, p)
    with pytest.raises(InputError, match="Hierarchy, which has no entropy"):
        q.entropy()
    with pytest.raises(InputError, match=r"given\[0\] is .*; expected a Residual"):
        p.drawn(np.zeros(6)).kls()
