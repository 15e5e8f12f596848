"""With exact beliefs every draw of the loss is -log p(x_2 | x_<=t_1); which times are drawn; what each part sees."""

import numpy as np
import pytest
from scipy import stats

from minivae import backend
from minivae.autodiff import Tensor, as_tensor, backward, broadcast_to, concatenate, no_grad, tensor
from minivae.autodiff import sum as total
from minivae.datasets.linear_gaussian import LinearGaussian
from minivae.distributions import MultivariateNormal
from minivae.errors import InputError
from minivae.gradcheck import check_gradients
from minivae.models import TDVAE, Batch

from ...chance import assert_mean
from ..members import batch_for, member, shaken

T, D, Z, M, L = 5, 3, 2, 4, 6


def linear_gaussian(rng):
    """A model of which nothing is 0 or 1."""

    def cov(n):
        root = rng.normal(size=(n, n))
        return root @ root.T + 0.3 * np.eye(n)

    a, c = 0.7 * rng.normal(size=(Z, Z)), rng.normal(size=(D, Z))
    return LinearGaussian(a, c, cov(Z), cov(D), rng.normal(size=Z), cov(Z))


class Exact(TDVAE):
    """A TD-VAE whose b_t is the Kalman filter's mean and covariance, and whose densities are those of the model."""

    def __init__(self, known, steps=1):
        super().__init__(T * D, (), sequence_length=T, state_dim=Z, jumps=2, likelihood="gaussian", dtype="float64")
        a, q = known.transition, known.transition_cov
        for _ in range(steps - 1):  # z_{t + steps} given z_t
            a, q = known.transition @ a, known.transition @ q @ known.transition.T + known.transition_cov
        self.known, self.a, self.q = known, a, q
        self.belief = lambda b: normal(b[..., :Z], cov_in(b))
        self.transition = lambda z, _: normal(z @ a.T, q)
        self.decoder = lambda z: normal(z @ known.emission.T, known.emission_cov)
        self.smoothing = self.smooth

    def beliefs(self, x):
        found, _ = self.known.filter(x.numpy().reshape(-1, T, D))
        covs = np.broadcast_to(found.cov.reshape(T + 1, -1), (len(found.mean), T + 1, Z * Z))
        return tensor(np.concatenate([found.mean, covs], -1))

    def smooth(self, z, b1, b2, _):
        """p(z_1 | z_2, x_1, ..., x_{t_1}); b_2 has no say, as z_2 says all of what comes."""
        cov, a = cov_in(b1), self.a
        j = np.linalg.solve(a @ cov @ a.T + self.q, a @ cov).swapaxes(-1, -2)
        before = b1.numpy()[..., :Z]
        mean = before + (j @ (z.numpy() - before @ a.T)[..., None])[..., 0]
        return normal(tensor(mean), cov - j @ a @ cov)


def cov_in(b):
    return b.numpy()[..., Z:].reshape(*b.shape[:-1], Z, Z)


def normal(mean, cov):
    """N(mean, cov) by a factor that minivae's has the logarithm of on its diagonal."""
    lower = np.linalg.cholesky(cov)
    factor = np.tril(lower, -1) + np.log(np.diagonal(lower, axis1=-2, axis2=-1))[..., None, :] * np.eye(len(lower.T))
    return MultivariateNormal(mean, np.broadcast_to(factor, (*mean.shape, mean.shape[-1])))


def loss(model, x, first, delta, seed=0):
    """Of each draw."""
    noise = np.random.default_rng(seed).normal(size=(L, len(x), 2 * Z))
    times = np.full((L, len(x)), first), np.full((L, len(x)), delta)
    log_p, smoothing, transition = model.differences(tensor(x), *times, noise)
    return (smoothing + transition - log_p).numpy()


def test_with_exact_beliefs_every_draw_is_the_log_probability_of_what_comes_next(rng):
    known = linear_gaussian(rng)
    x = rng.normal(size=(M, T * D))
    _, log_p = known.filter(x.reshape(M, T, D))
    model = Exact(known)
    for first in range(T):
        found = loss(model, x, first, 1)
        np.testing.assert_allclose(found, np.broadcast_to(-log_p[:, first], (L, M)), rtol=1e-12, atol=1e-12)


def test_further_ahead_it_has_seen_what_is_between(rng):
    """With q and p_T over two steps and b_1 alone, what the loss leaves is no log p: x_{t_1 + 1} is in b_2 only."""
    known = linear_gaussian(rng)
    found = loss(Exact(known, steps=2), rng.normal(size=(M, T * D)), 1, 2)
    assert (found.std(axis=0) > 0.01).all()


def test_a_loss_with_the_wrong_sign_of_a_term_would_be_told_apart(rng):
    known = linear_gaussian(rng)
    model, x = Exact(known), rng.normal(size=(M, T * D))
    noise = rng.normal(size=(L, M, 2 * Z))
    parts = [v.numpy() for v in model.differences(tensor(x), np.full((L, M), 2), np.full((L, M), 1), noise)]
    assert (np.array([(p - parts[0]).std(axis=0) for p in (parts[1], parts[2], parts[1] - parts[2])]) > 0.01).all()


def test_the_bound_of_whole_sequences_is_exact_where_all_is(rng):
    """q(z|x) of the filter's belief and smoothing is the posterior: log p(x, z) - log q(z|x) is log p(x) at every z."""
    known = linear_gaussian(rng)
    model, x = Exact(known), rng.normal(size=(M, T * D))
    model.units = Z + Z * Z
    model.prior = lambda: type(model.posterior(tensor(x)))(
        normal(tensor(known.initial_mean), known.initial_cov), lambda z, _: model.transition(z, None), T
    )
    q = model.posterior(tensor(x))
    z, log_q = q.sample_with_log_prob(rng.normal(size=(L, *q.noise_shape)))
    log_p = model.likelihood(z).log_prob(tensor(x)) + model.prior().log_prob(z)
    wanted = np.broadcast_to(known.log_likelihood(x.reshape(M, T, D)), (L, M))
    np.testing.assert_allclose((log_p - log_q).numpy(), wanted, rtol=1e-11)


@pytest.mark.parametrize(("steps", "jumps"), [(5, 1), (5, 3), (4, 9), (1, 4)])
def test_times_are_even_over_all_that_fit(steps, jumps):
    seen = []

    class Watched(TDVAE):
        def differences(self, x, first, delta, noise):
            seen.append(np.stack([first.numpy(), delta.numpy()]))
            return super().differences(x, first, delta, noise)

    model = Watched(steps, (), sequence_length=steps, state_dim=1, units=2, jumps=jumps, samples=1)
    with no_grad():
        model.phases(Batch(tensor(np.zeros((20_000, steps)))), backend.generator(0))
    (first, delta), most = seen[0][:, 0], min(jumps, steps)
    assert set(delta) == set(range(1, most + 1))
    for jump in range(1, most + 1):
        assert_mean(delta == jump, 1 / most)
        of_jump = first[delta == jump]
        assert set(of_jump) == set(range(steps - jump + 1))
        for t in range(steps - jump + 1):
            assert_mean(of_jump == t, 1 / (steps - jump + 1))
    edge = {"times": np.full((1, 2, 2), np.nextafter(np.float32(1), np.float32(0))), "z": np.zeros((1, 2, 2))}
    model.phases(Batch(tensor(np.zeros((2, steps)))), edge)  # the last of all: still inside
    assert (seen[1] == [[[steps - most] * 2], [[most] * 2]]).all()


def test_a_belief_knows_of_what_came_and_of_nothing_else(rng):
    model = shaken(member("td-vae", sequence_length=3, dtype="float64"))
    x = rng.uniform(size=(1, 6))
    b = model.beliefs(tensor(x)).numpy()
    assert b.shape == (1, 4, 4)
    assert not b[:, 0].any()
    for step in range(3):
        changed = x.copy()
        changed[:, 2 * step : 2 * step + 2] += 0.5
        differ = (model.beliefs(tensor(changed)).numpy() != b).all(axis=(0, 2))
        np.testing.assert_array_equal(differ, np.arange(4) > step)


def test_terms_and_objective_add_up_and_every_weight_is_trained(rng):
    model = shaken(member("td-vae", sequence_length=3, dtype="float64", samples=3))
    (phase,) = model.phases(batch_for(model, rng), backend.generator(0))
    terms = {name: float(value) for name, value in phase.terms.items()}
    assert terms["objective"] == pytest.approx(terms["reconstruction"] - terms["smoothing"] - terms["transition"])
    assert float(phase.loss) == -terms["objective"]
    assert len(phase.parameters) == len(model.parameters())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"sequence_length": 4}, "sequence_length is 4; expected an integer that divides 6"),
        ({"sequence_length": 0}, "sequence_length is 0"),
        ({"jumps": 0}, "jumps is 0"),
        ({"state_dim": 0}, "state_dim is 0"),
        ({"units": -1}, "units is -1"),
    ],
)
def test_what_is_no_sequence_is_refused(options, said):
    with pytest.raises(InputError, match=said):
        member("td-vae", **options)


def test_rollouts_keep_what_was_seen_and_draw_what_comes(rng):
    model, x = shaken(member("td-vae", sequence_length=3, dtype="float64")), rng.uniform(size=(3, 6))
    with no_grad():
        b = model.beliefs(tensor(x))
        at = [model.decoder(model.belief(b[:, i]).mean).mean.numpy() for i in (1, 2, 3)]
    for seen in range(4):
        found = [model.rollout(x, seen, backend.generator(seed)).numpy().reshape(3, 3, 2) for seed in (0, 0, 1)]
        np.testing.assert_array_equal(found[0], found[1])
        for step in range(3):
            if step < seen:
                np.testing.assert_allclose(found[0][:, step], at[step], rtol=1e-12)
            else:
                assert (found[0][:, step] != found[2][:, step]).all()
    with pytest.raises(InputError, match="seen is 4; expected at most 3"):
        model.rollout(x, 4, backend.generator(0))


def test_rollouts_are_draws_of_the_transition(rng):
    """The state after the first step of a rollout, by its decoded mean, which a linear decoder says."""
    model = shaken(member("td-vae", sequence_length=3, dtype="float64", likelihood="gaussian", hidden=(), state_dim=1))
    x, n = np.tile(rng.uniform(size=6), (4000, 1)), 4000
    w, c = model.decoder.mean.weight.numpy(), model.decoder.mean.bias.numpy()
    z = ((model.rollout(x, 2, backend.generator(0)).numpy()[:, 4:] - c) @ w.T / (w @ w.T))[:, 0]
    with no_grad():
        belief = model.belief(model.beliefs(tensor(x[:1]))[0, 2])
        points = np.linspace(-8, 8, 2001)[:, None]
        step = model.transition(as_tensor(points, belief.mean), model._one_hot(tensor(1.0, "float64")))
    share = stats.norm.pdf(points[:, 0], belief.mean.numpy(), belief.stddev.numpy()) * (points[1] - points[0])
    mean, var = step.mean.numpy()[:, 0], step.stddev.numpy()[:, 0] ** 2
    expected = (share * mean).sum()
    assert_mean(z, expected)
    assert_mean((z - expected) ** 2, (share * (var + (mean - expected) ** 2)).sum())
    assert len(z) == n


def test_gradients_by_the_data(rng):
    """Which beliefs and the likelihood see."""
    model = shaken(member("td-vae", dtype="float64"))
    x, noise = batch_for(model, rng).x, rng.normal(size=(2, M, 2 * model.state_dim))
    first, delta = np.array([[0.0, 1.0, 0.0, 1.0], [1.0, 0.0, 1.0, 0.0]]), np.ones((2, M))
    for i in range(3):
        check_gradients(lambda x, i=i: model.differences(x, first, delta, noise)[i], [x.numpy()], mode="directions")


def test_gradients_reach_the_beliefs_at_both_times(rng):
    """Of a loss at t_1 = 1 and t_2 = 2 the first two steps have a gradient, and the third none."""
    model = shaken(member("td-vae", sequence_length=3, dtype="float64"))
    x = Tensor(rng.uniform(size=(1, 6)))
    x.requires_grad = True
    parts = model.differences(x, np.ones((2, 1)), np.ones((2, 1)), rng.normal(size=(2, 1, 4)))
    (g,) = backward(total(concatenate([broadcast_to(p, p.shape) for p in parts])), [x])
    np.testing.assert_array_equal(g.numpy()[0] != 0, [True] * 4 + [False] * 2)
