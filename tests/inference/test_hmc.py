"""Hamiltonian Monte Carlo: the leapfrog's properties, and that densities are stationary."""

import numpy as np
import pytest

from minivae import backend
from minivae.autodiff import expand_dims, less, matmul, tensor, where
from minivae.distributions import Normal
from minivae.errors import InputError
from minivae.inference import effective_sample_size, hmc
from minivae.inference.joint import log_joint
from minivae.models import VAE

from ..chance import CRITICAL_Z, assert_mean, assert_moments
from ..doubles.strict_device import strict
from ..linear_gaussian import LinearGaussian

BEND, WIDTH = 0.5, 0.7


def banana(z):
    """z1 ~ N(0, 1), z2 ~ N(BEND (z1^2 - 1), WIDTH^2): a curved density whose draws and moments are known."""
    return Normal(BEND * (z[..., :1] ** 2 - 1), 2 * np.log(WIDTH)).log_prob(z[..., 1:]) - 0.5 * z[..., 0] ** 2


def banana_draws(rng, n):
    first = rng.normal(size=n)
    return np.stack([first, BEND * (first**2 - 1) + WIDTH * rng.normal(size=n)], -1)


COVARIANCE = np.array([[1.0, 0.8, 0.0], [0.8, 1.0, 0.2], [0.0, 0.2, 0.3]])
PRECISION = tensor(np.linalg.inv(COVARIANCE))


def gaussian(z):
    return -0.5 * (matmul(z, PRECISION) * z).sum(axis=-1)


DENSITIES = pytest.mark.parametrize(("density", "dim"), [(banana, 2), (gaussian, 3)])


def start(rng, density, dim, chains=4):
    return hmc.init(tensor(rng.normal(size=(chains, dim))), density)


# ----------------------------------------------------------------- the leapfrog


@DENSITIES
def test_the_state_holds_density_and_gradient(density, dim, rng):
    state, h = start(rng, density, dim), 1e-6
    np.testing.assert_array_equal(state.log_density.numpy(), density(state.position).numpy())
    for i in range(dim):
        shift = h * np.eye(dim)[i]
        difference = (density(state.position + shift) - density(state.position - shift)) / (2 * h)
        np.testing.assert_allclose(state.gradient.numpy()[:, i], difference.numpy(), rtol=1e-6, atol=1e-8)


@DENSITIES
@pytest.mark.parametrize("steps", [1, 7])
def test_the_leapfrog_is_reversible(density, dim, steps, rng):
    """With the momentum turned around it comes back."""
    state, momentum = start(rng, density, dim), tensor(rng.normal(size=(4, dim)))
    there, end = hmc.leapfrog(state, momentum, density, 0.2, steps)
    assert np.abs((there.position - state.position).numpy()).max() > 0.1
    back, first = hmc.leapfrog(there, -end, density, 0.2, steps)
    for found, expected in zip((*back, -first), (*state, momentum), strict=True):
        np.testing.assert_allclose(found.numpy(), expected.numpy(), atol=1e-12)


@DENSITIES
def test_the_leapfrog_preserves_volume(density, dim, rng):
    """The determinant of the Jacobian of (z, p) -> (z', p') is 1."""
    h, point = 1e-6, rng.normal(size=2 * dim)

    def flow(points):
        state = hmc.init(tensor(points[:, :dim]), density)
        state, momentum = hmc.leapfrog(state, tensor(points[:, dim:]), density, 0.3, 5)
        return np.concatenate([state.position.numpy(), momentum.numpy()], -1)

    shifts = h * np.eye(2 * dim)
    jacobian = (flow(point + shifts) - flow(point - shifts)) / (2 * h)
    np.testing.assert_allclose(np.linalg.det(jacobian), 1.0, atol=1e-7)
    assert np.abs(jacobian - np.eye(2 * dim)).max() > 0.1


@DENSITIES
def test_the_energy_error_falls_with_the_square_of_the_step_size(density, dim, rng):
    state, momentum = start(rng, density, dim, chains=50), tensor(rng.normal(size=(50, dim)))
    errors = []
    for step_size, steps in ((0.1, 10), (0.05, 20), (0.025, 40)):
        end, last = hmc.leapfrog(state, momentum, density, step_size, steps)
        difference = hmc._energy(end, last) - hmc._energy(state, momentum)
        errors.append(np.sqrt((difference.numpy() ** 2).mean()))
    assert errors[0] > 1e-4
    np.testing.assert_allclose(np.divide(errors[:-1], errors[1:]), 4.0, rtol=0.15)


def textbook(z, p, size, steps):
    """Neal (2011), Eq. 2.28 to 2.30, in NumPy, for the Gaussian."""
    for _ in range(steps):
        p = p - size / 2 * z @ PRECISION.numpy()
        z = z + size * p
        p = p - size / 2 * z @ PRECISION.numpy()
    return z, p


@pytest.mark.parametrize("steps", [1, 4])
def test_steps_are_those_of_the_textbook(steps, rng):
    state, momentum, size = start(rng, gaussian, 3), rng.normal(size=(4, 3)), 0.3
    z, p = textbook(state.position.numpy(), momentum, size, steps)
    found, end = hmc.leapfrog(state, tensor(momentum), gaussian, size, steps)
    np.testing.assert_allclose(found.position.numpy(), z, rtol=1e-12)
    np.testing.assert_allclose(end.numpy(), p, rtol=1e-12)


# ----------------------------------------------------------------- moves


def test_a_move_is_that_of_metropolis_number_by_number(rng):
    """In NumPy, with what the generator draws: momenta, of each step size between a half and all of it, decisions."""
    source, sizes = backend.generator(0), np.linspace(0.1, 1.6, 30)[:, None]
    state, before = start(rng, gaussian, 3, chains=30), source.state
    after, info = hmc.step(state, gaussian, source, tensor(sizes), 4)
    source.state, z = before, state.position.numpy()
    p, u = source.standard_normal((30, 3), "float64"), source.uniform((30, 1), "float64")
    end, last = textbook(z, p, sizes * (0.5 + 0.5 * u), 4)
    energy = [0.5 * ((z @ PRECISION.numpy()) * z + p * p).sum(-1) for z, p in ((z, p), (end, last))]
    acceptance = np.exp(-np.maximum(energy[1] - energy[0], 0))
    accepted = source.uniform((30,), "float64") < acceptance
    assert 5 < accepted.sum() < 25
    np.testing.assert_allclose(info.energy_error.numpy(), energy[1] - energy[0], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(info.acceptance.numpy(), acceptance, rtol=1e-9, atol=1e-300)
    z = np.where(accepted[:, None], end, z)
    expected = z, -0.5 * ((z @ PRECISION.numpy()) * z).sum(-1), -z @ PRECISION.numpy()
    for part, value in zip(after, expected, strict=True):
        np.testing.assert_allclose(part.numpy(), value, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("height", "divergent"), [(999.0, 0.0), (1001.0, 1.0)])
def test_what_climbs_more_than_1000_nats_diverges(height, divergent):
    """A cliff beside the chains: of those that a momentum takes over it H rises by its height."""

    def cliff(z):
        return where(less(z, 0.0), 0.0 * z, 0.0 * z - height).sum(axis=-1)

    after, info = hmc.step(hmc.init(tensor(np.full((20, 1), -1e-9)), cliff), cliff, backend.generator(0), 1.0, 1)
    over = info.energy_error.numpy() > 1
    assert 5 < over.sum() < 15
    np.testing.assert_array_equal(info.divergent.numpy(), np.where(over, divergent, 0.0))
    np.testing.assert_array_equal(after.position.numpy()[over], -1e-9)


def test_a_run_is_its_moves_one_by_one(rng):
    """Unrecorded: warming up, of move i the rate is 10 i^-0.6; then means, counts and draws at the sizes found."""
    z, sources = tensor(2 * rng.normal(size=(2, 6, 2))), (backend.generator(7), backend.generator(7))
    found = hmc.sample(banana, z, sources[0], 5, warmup=3, leapfrog_steps=6, step_size=1.2)
    state, sizes, infos, draws = hmc.init(z, banana), tensor(np.full((2, 6, 1), 1.2)), [], []
    for i in range(1, 9):
        state, info = hmc.step(state, banana, sources[1], sizes, 6)
        if i <= 3:
            sizes = sizes * np.exp(np.clip(10 * i**-0.6 * (info.acceptance.numpy()[..., None] - 0.9), -1, 1))
            continue
        infos.append([part.numpy() for part in info])
        draws.append(state.position.numpy())
    acceptance, _, divergent = map(np.array, zip(*infos, strict=True))
    assert 0 < divergent.mean() < 1
    expected = draws, acceptance.mean(0), divergent.sum(0), sizes.numpy()
    for part, value in zip(found, expected, strict=True):
        np.testing.assert_allclose(part.numpy(), value, rtol=1e-9)


def test_a_run_keeps_the_dtype_of_its_positions():
    found = hmc.sample(banana, tensor(np.zeros((3, 2), np.float32)), backend.generator(0), 2, warmup=2)
    assert [part.dtype for part in found] == [np.float32] * 4


@pytest.mark.parametrize("step_size", [0.1, 0.3, 0.5])
def test_a_gaussian_is_stationary(step_size, rng):
    """Exact draws stay exact draws, also where the leapfrog is coarse and much is refused."""
    chains, source = 20_000, backend.generator(2)
    draws = rng.multivariate_normal(np.zeros(3), COVARIANCE, chains)
    state = hmc.init(tensor(draws), gaussian)
    for _ in range(3):
        state, info = hmc.step(state, gaussian, source, step_size, 4)
    z = state.position.numpy()
    assert_moments(z, 0.0, COVARIANCE.diagonal())
    for i, j in ((0, 1), (1, 2), (0, 2)):
        assert_mean(z[:, i] * z[:, j], COVARIANCE[i, j])
    acceptance = info.acceptance.numpy().mean()
    assert 0.5 < acceptance < 0.9 if step_size == 0.5 else acceptance > 0.9
    assert (info.divergent.numpy() == 0).all()


@pytest.mark.parametrize("step_size", [0.2, 0.8])
def test_a_banana_is_stationary(step_size, rng):
    source, state = backend.generator(3), hmc.init(tensor(banana_draws(rng, 20_000)), banana)
    for _ in range(3):
        state, _ = hmc.step(state, banana, source, step_size, 4)
    z = state.position.numpy()
    assert_moments(z[:, 0], 0.0, 1.0)
    assert_moments(z[:, 1], 0.0, 2 * BEND**2 + WIDTH**2)
    assert_mean(z[:, 1] * z[:, 0] ** 2, 2 * BEND)


def test_a_long_chain_has_the_moments_of_the_banana():
    """One chain from a far corner: its means lie within their standard errors by the effective sample size."""
    far = tensor(np.array([[3.0, -3.0]]))
    drawn = hmc.sample(banana, far, backend.generator(4), 1500, warmup=200, leapfrog_steps=5)
    z = drawn.z.numpy()[:, 0]
    for values, expected in (
        (z[:, 0], 0.0),
        (z[:, 1], 0.0),
        (z[:, 0] ** 2, 1.0),
        (z[:, 1] ** 2, 2 * BEND**2 + WIDTH**2),
    ):
        effective = effective_sample_size(values)
        assert effective > 100
        assert abs(values.mean() - expected) < CRITICAL_Z * values.std() / np.sqrt(effective)


def test_the_acceptance_is_that_of_metropolis(rng):
    """min(1, exp(-dH)); and so many moves are accepted."""
    state = hmc.init(tensor(rng.multivariate_normal(np.zeros(3), COVARIANCE, 20_000)), gaussian)
    after, info = hmc.step(state, gaussian, backend.generator(5), 0.6, 3)
    np.testing.assert_allclose(info.acceptance.numpy(), np.minimum(1, np.exp(-info.energy_error.numpy())))
    moved = (after.position.numpy() != state.position.numpy()).any(-1)
    assert_mean(moved - info.acceptance.numpy(), 0.0)
    assert_mean(np.exp(-info.energy_error.numpy()), 1.0)  # of any reversible move that keeps volume
    fresh = hmc.init(after.position, gaussian)
    for found, expected in zip(after, fresh, strict=True):
        np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-12)


@pytest.mark.parametrize("step_size", [50.0, 1e200])
def test_divergent_moves_are_counted_and_refused(step_size, rng):
    state = start(rng, banana, 2)
    after, info = hmc.step(state, banana, backend.generator(0), step_size, 10)
    assert (info.divergent.numpy() == 1).all()
    assert (info.acceptance.numpy() == 0).all()
    for found, expected in zip(after, state, strict=True):
        np.testing.assert_array_equal(found.numpy(), expected.numpy())


def test_recorded_moves_that_diverge_warn_of_nothing_either(rng):
    """NumPy's warnings are errors here; the first call is unrecorded."""
    move, state = hmc.compiled(banana, backend.generator(0), 10), start(rng, banana, 2)
    for _ in range(3):
        _, info = move(state, tensor(np.float64(1e200)))
        assert (info.divergent.numpy() == 1).all()


def test_the_step_size_comes_to_90_percent():
    """From far too small and far too large, for chains on posteriors of different widths."""
    widths = np.array([[0.01], [0.3], [1.0], [20.0]])

    def density(z):
        return Normal(np.zeros((4, 3)), 2 * np.log(widths)).log_prob(z)

    for first in (1e-3, 10.0):
        start = tensor(widths * np.ones((4, 3)))
        drawn = hmc.sample(density, start, backend.generator(1), 300, warmup=300, step_size=first)
        np.testing.assert_allclose(drawn.acceptance.numpy(), 0.9, atol=0.09)
        sizes = drawn.step_size.numpy()[:, 0] / widths[:, 0]
        assert sizes.max() / sizes.min() < 3


def test_adapting_is_at_most_by_e():
    """Up and down, however far a single move counts."""
    for acceptance, expected in ((1.0, np.e), (0.0, 1 / np.e)):
        assert float(hmc.adapt(tensor(0.1), tensor(acceptance), rate=100.0)) == pytest.approx(0.1 * expected)


def test_adapting_goes_up_above_the_target_and_down_below():
    assert float(hmc.adapt(tensor(0.1), tensor(0.9))) == pytest.approx(0.1)
    assert float(hmc.adapt(tensor(0.1), tensor(1.0), rate=1.0)) == pytest.approx(0.1 * np.exp(0.1))
    assert float(hmc.adapt(tensor(0.1), tensor(0.0), rate=1.0)) == pytest.approx(0.1 * np.exp(-0.9))


def test_the_posterior_of_bench_p_is_drawn(rng):
    """Its mean and its covariance, which no diagonal Gaussian has, for every data point by its own chain."""
    bench = LinearGaussian(rng, orthogonal=False)
    x = bench.data(rng, 3)
    repeats = 2000
    repeated = tensor(np.repeat(x, repeats, 0))

    def density(z):
        return bench.likelihood(z).log_prob(repeated) - 0.5 * (z * z).sum(axis=-1)

    begin = tensor(np.zeros((len(repeated), 3)))
    drawn = hmc.sample(density, begin, backend.generator(6), 1, warmup=60).z.numpy()[0]
    covariance = np.linalg.inv(bench.precision)
    for mean, draws in zip(bench.posterior_mean(x), drawn.reshape(3, repeats, 3), strict=True):
        error = draws - mean
        assert_mean(error, 0.0)
        assert_mean(np.einsum("ni,nj->nij", error, error).reshape(repeats, 9), covariance.ravel())


# ----------------------------------------------------------------- models, backends


def vae_density(where=None, dtype=None):
    model = VAE(6, 2, (8,), backend=where, dtype=dtype)
    x = backend.asarray(np.linspace(0, 1, 30, dtype=np.float32).reshape(5, 6), backend=where)
    return log_joint(model, x), tensor(np.zeros((5, 2), np.float32), backend=where)


def test_a_recorded_move_is_an_eager_one():
    """Bit for bit, also when the step size changes; and a state that it returned may go in again."""
    density, z = vae_density()
    sources = backend.generator(0), backend.generator(0)
    move = hmc.compiled(density, sources[0], 3)
    recorded = eager = hmc.init(z, density)
    for size in (0.1, 0.3, 0.2):
        recorded, info = move(recorded, tensor(size))
        eager, expected = hmc.step(eager, density, sources[1], tensor(size), 3)
        for found, value in zip((*recorded, *info), (*eager, *expected), strict=True):
            np.testing.assert_array_equal(found.numpy(), value.numpy())


def test_on_the_device_nothing_waits_moves_or_widens():
    density, z = vae_density("strict")
    source, size = backend.generator(0, "strict"), tensor(np.full((5, 1), 0.2, np.float32), backend="strict")
    state, move, counter = hmc.init(z, density), hmc.compiled(density, source, 3), strict.counter
    state, _ = move(*move(state, size)[:1], size)  # recorded
    with counter.forbid_synchronization(), counter.forbid_transfers(), counter.forbid_dtype("float64"):
        state, info = move(state, size)
        size = hmc.adapt(size, expand_dims(info.acceptance, -1))
    assert np.isfinite(state.position.numpy()).all()


def test_the_weights_are_left_alone():
    model = VAE(6, 2, (8,))
    before = {name: value.copy() for name, value in model.state_dict().items()}
    state, _ = hmc.step(
        hmc.init(tensor(np.zeros((1, 2), np.float32)), log_joint(model, np.ones((1, 6)))),
        log_joint(model, np.ones((1, 6))),
        backend.generator(0),
        0.1,
    )
    assert not any(part.requires_grad for part in state)
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


def test_no_draws_are_refused_before_any_move():
    generator = backend.generator(0)
    before = generator.state
    with pytest.raises(InputError, match="draws is 0"):
        hmc.sample(lambda z: -(z * z).sum(-1), tensor(np.zeros((2, 1))), generator, 0)
    assert generator.state == before
