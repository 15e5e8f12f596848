"""Unit vectors around a direction: densities, draws by Wood's rejections, and gradients with what these leave out."""

import numpy as np
import pytest
from scipy import integrate, special, stats

from minivae import backend, bounds
from minivae.autodiff import Parameter, backward, mean, sum, tensor
from minivae.compiler import compile
from minivae.distributions import UniformOnSphere, VonMisesFisher, kl
from minivae.distributions.von_mises_fisher import PROPOSALS, log_area
from minivae.errors import InputError
from minivae.gradcheck import check_gradients

from ..chance import CRITICAL_Z, assert_cdf, assert_mean
from ..doubles.strict_device import strict
from .extremes import assert_finite_gradients
from .families import directions

M, L = 4, 2


def made(rng, m, kappa, shape=(M,), **options):
    loc = rng.normal(0, 2, (*shape, m))
    return VonMisesFisher(tensor(loc, **options), tensor(np.broadcast_to(kappa, shape).copy(), **options)), loc


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def density(m, kappa):
    """That of w = mu^T z, by quadrature of its own."""
    f = lambda w: np.exp(kappa * (w - 1)) * (1 - w * w) ** ((m - 3) / 2)  # noqa: E731
    angle = lambda t: np.exp(kappa * (np.cos(t) - 1)) * np.sin(t) ** (m - 2)  # noqa: E731 (at w = cos t)
    total = integrate.quad(angle, 0, np.pi, epsabs=0, epsrel=1e-12, limit=200)[0]
    return lambda w: f(w) / total


def expectation(f, m, kappa):
    """E f(w)."""
    weight = lambda t: np.exp(kappa * (np.cos(t) - 1)) * np.sin(t) ** (m - 2)  # noqa: E731
    options = {"epsabs": 0, "epsrel": 1e-12, "limit": 200}
    total = integrate.quad(weight, 0, np.pi, **options)[0]
    return integrate.quad(lambda t: f(np.cos(t)) * weight(t), 0, np.pi, **options)[0] / total


# -------------------------------------------------------------------- known numbers


def test_the_kl_of_ten_dimensions_that_is_known():
    q = VonMisesFisher(np.ones(10), 20.0)
    assert kl(q, UniformOnSphere(10, q.like)).item() == pytest.approx(4.7621, abs=5e-5)


@pytest.mark.parametrize("kappa", [1e-3, 0.5, 3.0, 20.0])
def test_three_dimensions_are_elementary(kappa, rng):
    q, loc = made(rng, 3, kappa)
    expected = kappa / np.tanh(kappa) - 1 + np.log(kappa / np.sinh(kappa))
    np.testing.assert_allclose(kl(q, UniformOnSphere(3, q.like)).numpy(), np.full(M, expected), rtol=1e-9, atol=1e-14)
    along = 1 / np.tanh(kappa) - 1 / kappa
    np.testing.assert_allclose(q.mean.numpy(), along * unit(loc), rtol=1e-9)
    np.testing.assert_array_equal(q.centre.numpy(), q.direction.numpy())


@pytest.mark.parametrize(("m", "kappa"), [(2, 0.7), (4, 3.0), (10, 20.0), (33, 400.0), (512, 100.0)])
def test_kl_and_mean_against_quadrature(m, kappa, rng):
    q, loc = made(rng, m, kappa)
    # log p(w) of q over that of the uniform distribution
    constant = np.log(expectation(lambda w: np.exp(kappa * (w - 1)), m, 0.0)) + kappa
    divergence = expectation(lambda w: kappa * w - constant, m, kappa)
    np.testing.assert_allclose(kl(q, UniformOnSphere(m, q.like)).numpy(), np.full(M, divergence), rtol=1e-9)
    np.testing.assert_allclose(q.mean.numpy(), unit(loc) * expectation(lambda w: w, m, kappa), rtol=1e-9)


@pytest.mark.parametrize("m", [3, 10])
def test_the_kl_of_two_by_their_normalizers(m, rng):
    """log C - log C' + kappa A - kappa' A mu'^T mu, with SciPy's Bessel functions."""
    (q, loc), (p, other) = made(rng, m, [0.5, 3.0, 20.0, 7.0]), made(rng, m, [2.0, 0.1, 9.0, 7.0])

    def log_c(kappa):
        order = m / 2 - 1
        return order * np.log(kappa) - np.log(special.ive(order, kappa)) - kappa

    k, other_k = (d.concentration.numpy() for d in (q, p))
    a = special.ive(m / 2, k) / special.ive(m / 2 - 1, k)
    together = (unit(loc) * unit(other)).sum(-1)
    expected = log_c(k) - log_c(other_k) + k * a - other_k * a * together
    np.testing.assert_allclose(kl(q, p).numpy(), expected, rtol=1e-9)
    assert kl(q, q).numpy() == pytest.approx(np.zeros(M), abs=1e-13)


def test_one_direction_for_several_concentrations_and_the_other_way_round(rng):
    loc, kappa = rng.normal(size=(M, 5)), np.array([0.3, 2.0, 9.0, 40.0])
    for q, whole in (
        (VonMisesFisher(loc[0], kappa), VonMisesFisher(np.tile(loc[0], (M, 1)), kappa)),
        (VonMisesFisher(loc, 3.0), VonMisesFisher(loc, np.full(M, 3.0))),
    ):
        p, noise = UniformOnSphere(5, q.like), q.draw_noise(backend.generator(0), (L,))
        calls = (lambda d: d.mean, lambda d: d.centre, lambda d: d.entropy(), lambda d, p=p: kl(d, p))
        for call in (*calls, lambda d, noise=noise: d.sample(noise)):
            assert call(q).shape == call(whole).shape
            np.testing.assert_allclose(call(q).numpy(), call(whole).numpy(), rtol=1e-12)


def test_without_concentration_it_is_the_uniform_distribution(rng):
    for kappa in (0.0, 1e-9):
        q, _ = made(rng, 5, kappa)
        p = UniformOnSphere(5, q.like)
        np.testing.assert_allclose(kl(q, p).numpy(), 0, atol=1e-14)
        x = directions(rng, (M, 5))
        np.testing.assert_allclose(q.log_prob(x).numpy(), p.log_prob(x).numpy(), atol=1e-8)
    assert np.exp(log_area(2)) == pytest.approx(2 * np.pi)
    assert np.exp(log_area(3)) == pytest.approx(4 * np.pi)


@pytest.mark.parametrize(("m", "kappa"), [(2, 3.0), (3, 0.2), (7, 40.0)])
@pytest.mark.parametrize("lead", [(), (L,)])
def test_densities_against_scipy(m, kappa, lead, rng, backend_name):
    q, loc = made(rng, m, kappa, backend=backend_name)
    x = directions(rng, (*lead, M, m))
    each = [stats.vonmises_fisher(mu, kappa) for mu in unit(loc)]
    expected = np.stack([each[i].logpdf(x[..., i, :]) for i in range(M)], -1)
    np.testing.assert_allclose(q.log_prob(tensor(x, backend=backend_name)).numpy(), expected, rtol=1e-10)
    np.testing.assert_allclose(q.entropy().numpy(), [e.entropy() for e in each], rtol=1e-10)


def test_off_the_sphere_there_is_no_density(rng):
    q, _ = made(rng, 3, 2.0)
    x = directions(rng, (M, 3))
    assert np.isneginf(q.log_prob(x * 1.1).numpy()).all()
    assert np.isneginf(UniformOnSphere(3, q.like).log_prob(x * 0.5).numpy()).all()
    np.testing.assert_allclose(q.log_prob(x * (1 + 1e-7)).numpy(), q.log_prob(x).numpy(), rtol=1e-12)


# --------------------------------------------------------------------------- draws


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("m", "kappa"), [(2, 1.5), (3, 30.0), (10, 5.0), (40, 1e4)])
def test_draws_are_of_length_1_around_the_mean(m, kappa, dtype, rng, backend_name):
    q, loc = made(rng, m, kappa, dtype=dtype, backend=backend_name)
    z = q.sample(backend.generator(0, backend_name), 4000).numpy().astype(float)
    assert z.shape == (4000, M, m)
    rounding = 2e-6 if dtype == "float32" else 2e-15
    np.testing.assert_allclose(np.linalg.norm(z, axis=-1), 1, atol=rounding)
    w = (z * unit(loc)).sum(-1)
    assert_mean(w, expectation(lambda w: w, m, kappa))
    across = z - w[..., None] * unit(loc)
    assert_mean(across, 0.0)
    # In every direction across the mean as much: E (c^T z)^2 = (1 - E w^2) / (m - 1).
    c = np.roll(unit(loc), 1, -1) - (np.roll(unit(loc), 1, -1) * unit(loc)).sum(-1, keepdims=True) * unit(loc)
    spread = expectation(lambda w: 1 - w * w, m, kappa) / (m - 1)
    assert_mean((across * unit(c)).sum(-1) ** 2, spread)


@pytest.mark.parametrize(("m", "kappa"), [(2, 1.5), (3, 30.0), (10, 5.0), (20, 0.0)])
def test_the_height_has_its_distribution(m, kappa, rng):
    q, loc = made(rng, m, kappa, (1,))
    w = (q.sample(backend.generator(1), 5000).numpy()[:, 0] * unit(loc)).sum(-1)
    f = density(m, kappa)
    grid = np.cos(np.linspace(np.pi, 0, 4001))
    middle = (grid[1:] + grid[:-1]) / 2
    cdf = np.concatenate([[0], np.cumsum(f(middle) * np.diff(grid))])
    assert cdf[-1] == pytest.approx(1, abs=0.03)
    assert_cdf(w, lambda x: np.interp(x, grid, cdf / cdf[-1]))


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("near", [0.0, 1e-30, 1e-9, 1e-4])
def test_near_the_first_axis_nothing_leaves_the_sphere(sign, near, rng):
    """Where a mirror that takes the first axis to the mean has no plane, or hardly one, in one of the two signs."""
    loc = np.array([[sign, near, -near, 0.0]], "float32")
    parameters = [tensor(loc, requires_grad=True), tensor(np.array([3.0], "float32"), requires_grad=True)]
    q = VonMisesFisher(*parameters)
    z = q.sample(backend.generator(0), 500)
    np.testing.assert_allclose(np.linalg.norm(z.numpy(), axis=-1), 1, atol=1e-6)
    assert_mean(z.numpy()[:, 0, 0], sign * expectation(lambda w: w, 4, 3.0))
    assert np.abs(backward(mean(z[..., 0] + z[..., 1]), parameters)[0].numpy()).max() < 2


def woods(loc, kappa, noise):
    """Algorithm VM* of Wood 1994, in its own words, on the same noise; then the rotation as a matrix of mirrors."""
    m = len(loc)
    normal, uniform = noise[: m - 1], noise[m - 1 :].reshape(3, PROPOSALS)
    b = (-2 * kappa + np.sqrt(4 * kappa**2 + (m - 1) ** 2)) / (m - 1)
    x_0 = (1 - b) / (1 + b)
    c = kappa * x_0 + (m - 1) * np.log(1 - x_0**2)
    for u_0, u_1, u_2 in uniform.T:
        radius = np.sqrt(1 - u_0 ** (2 / (m - 2))) if m > 2 else 1.0
        e = (1 - radius * np.cos(2 * np.pi * u_1)) / 2
        w = (1 - (1 + b) * e) / (1 - (1 - b) * e)
        if kappa * w + (m - 1) * np.log(1 - x_0 * w) - c >= np.log(u_2):
            break
    mu = unit(loc)
    y = np.concatenate([[w], np.sqrt(1 - w**2) * unit(normal)])
    sign = 1 if mu[0] >= 0 else -1
    v = mu * sign + np.eye(m)[0]
    return -sign * (y - 2 * v * (v @ y) / (v @ v))


@pytest.mark.parametrize(("m", "kappa"), [(2, 2.0), (3, 10.0), (9, 30.0)])
def test_the_first_that_is_accepted_is_taken(m, kappa, rng):
    q, loc = made(rng, m, kappa)
    noise = q.draw_noise(backend.generator(2), (50,)).numpy()
    assert noise.shape == (50, M, m - 1 + 3 * PROPOSALS) == (50, *q.noise_shape)
    expected = [[woods(loc[j], kappa, noise[i, j]) for j in range(M)] for i in range(50)]
    np.testing.assert_allclose(q.sample(noise).numpy(), expected, atol=1e-10)
    z, log_q = q.sample_with_log_prob(noise)
    np.testing.assert_allclose(log_q.numpy(), q.log_prob(z).numpy(), rtol=1e-9, atol=1e-10)
    first = q.sample(
        np.concatenate([noise[..., : m - 1], np.repeat(noise[..., m - 1 :: PROPOSALS], PROPOSALS, -1)], -1)
    )
    changed = (np.abs(first.numpy() - z.numpy()) > 1e-9).any(-1).mean()
    assert 0.05 < changed < 0.5  # of which the first was refused


def test_where_none_is_accepted_the_last_is_taken(rng):
    q, _ = made(rng, 6, 50.0)
    noise = q.draw_noise(backend.generator(2)).numpy().copy()
    noise[..., 5 + 2 * PROPOSALS :] = 1.0
    noise[..., 5 : 5 + PROPOSALS] = 1 - 1e-3  # proposals that are not at the mode
    last = noise.copy()
    last[..., -1] = 1e-9
    np.testing.assert_array_equal(q.sample(noise).numpy(), q.sample(last).numpy())


def test_none_is_accepted_once_in_1e12():
    """The probability of accepting one, from Wood's constants by quadrature over his Beta proposals."""
    least = 1.0
    for m in (2, 3, 4, 10, 50, 512):
        a, t = (m - 1) / 2, (np.arange(4_000) + 0.5) / 4_000
        e = stats.beta(a, a).ppf(t)
        for kappa in (0.1, 1.0, 10.0, 100.0, 1e3, 1e5):
            b = a * 2 / (2 * kappa + np.sqrt(4 * kappa**2 + 4 * a**2))
            x_0 = (1 - b) / (1 + b)
            w = 1 - 2 * b * e / ((1 - e) + b * e)
            log_accept = kappa * (w - x_0) + (m - 1) * (np.log1p(-x_0 * w) - np.log1p(-x_0 * x_0))
            assert log_accept.max() < 1e-8
            least = min(least, np.exp(log_accept).mean())
    assert least == pytest.approx(0.6577, abs=1e-3)  # of many draws on the circle
    assert (1 - least) ** PROPOSALS < 1e-12


def test_the_uniform_distribution(rng, backend_name):
    p = UniformOnSphere(4, tensor(np.zeros(1), backend=backend_name))
    z = p.sample(backend.generator(3, backend_name), 5000).numpy()
    np.testing.assert_allclose(np.linalg.norm(z, axis=-1), 1, rtol=1e-12)
    assert_mean(z, 0.0)
    assert_mean(z[:, :, None] * z[:, None], np.eye(4) / 4)
    np.testing.assert_allclose(p.log_prob(p.sample(backend.generator(0, backend_name))).numpy(), -np.log(2 * np.pi**2))


# ----------------------------------------------------------------------- gradients


def test_derivatives_of_densities(rng):
    loc, kappa, x = rng.normal(size=(M, 4)), rng.uniform(0.5, 9, M), directions(rng, (L, M, 4))

    def log_prob(x, loc, kappa):
        return VonMisesFisher(loc, kappa).log_prob(x)

    check_gradients(log_prob, [x, loc, kappa], order=2, mode="jacobian")
    check_gradients(lambda *p: VonMisesFisher(*p).entropy(), [loc, kappa], order=2, mode="jacobian", allow_zero=True)


@pytest.mark.parametrize("m", [2, 5])
def test_derivatives_of_draws_with_the_noise_held(m, rng):
    loc, kappa = rng.normal(size=(M, m)), rng.uniform(0.5, 9, M)
    noise = VonMisesFisher(loc, kappa).draw_noise(backend.generator(5), (L,)).numpy()
    check_gradients(lambda *p: VonMisesFisher(*p).sample(noise), [loc, kappa], order=2, mode="jacobian")
    check_gradients(lambda k: VonMisesFisher(loc, k).sample_with_log_ratio(noise)[1], [kappa], order=2, mode="jacobian")
    check_gradients(lambda *p: VonMisesFisher(*p).sample_with_log_prob(noise)[1], [loc, kappa], allow_zero=True)


def at(e, m):
    """Noise whose first proposal is e, and accepted."""
    x = 1 - 2 * e
    noise = np.full((len(e), m - 1 + 3 * PROPOSALS), 0.5)
    uniform = noise[:, m - 1 :].reshape(-1, 3, PROPOSALS)
    uniform[:, 0] = ((1 - x * x) ** ((m - 2) / 2))[:, None]
    uniform[:, 1] = np.where(x > 0, 0.0, 0.5)[:, None]
    uniform[:, 2] = 1e-300
    noise[:, m - 1 :] = uniform.reshape(len(e), -1)
    return noise


def of_w(w):
    """A function whose expectation is asked for."""
    return 3.0 * w - w * w * w - 2.0


@pytest.mark.parametrize("m", [3, 10])
@pytest.mark.parametrize("kappa", [0.3, 3.0, 12.0, 150.0])
def test_the_gradient_by_kappa_is_exact_over_all_proposals_and_needs_its_correction(m, kappa):
    """E[f] = integral of s(e) r(e) f(h(e)) by Gauss-Jacobi nodes, and both parts of its derivative, without chance."""
    from scipy.special import roots_jacobi

    x, weights = roots_jacobi(240, (m - 3) / 2, (m - 3) / 2)
    e, weights = (1 - x) / 2, weights / weights.sum()
    copies = tensor(np.full(len(e), kappa), requires_grad=True)
    mu = np.eye(m)[m - 1]
    z, log_ratio = VonMisesFisher(np.tile(mu, (len(e), 1)), copies).sample_with_log_ratio(at(e, m))
    w, r = z.numpy() @ mu, np.exp(log_ratio.numpy())
    assert weights @ r == pytest.approx(1, rel=1e-9)  # a density over that of the proposal
    assert weights @ (r * of_w(w)) == pytest.approx(expectation(of_w, m, kappa), rel=1e-9)
    path = backward(sum(of_w(sum(z * mu, axis=-1))), [copies], retain_graph=True)[0].numpy()
    correction = of_w(w) * backward(sum(log_ratio), [copies])[0].numpy()
    h = 1e-4 * kappa
    exact = (expectation(of_w, m, kappa + h) - expectation(of_w, m, kappa - h)) / (2 * h)
    found, alone = weights @ (r * (path + correction)), weights @ (r * path)
    assert found == pytest.approx(exact, rel=1e-6)
    if kappa in (3.0, 12.0):
        assert abs(alone / exact - 1) > 0.02  # of m = 3 and kappa = 3 a third is missing


@pytest.mark.parametrize(("m", "kappa"), [(3, 3.0), (10, 10.0)])
def test_the_surrogates_gradient_is_unbiased(m, kappa, rng):
    """By draws, against quadrature; the path alone is off by many standard errors where the correction counts."""
    n, mu = 6_000, unit(rng.normal(size=m))
    copies = tensor(np.full((1, n), kappa), requires_grad=True)
    z, log_ratio = VonMisesFisher(np.tile(mu, (1, n, 1)), copies).sample_with_log_ratio(backend.generator(4))
    values = of_w(sum(z * mu, axis=-1))
    surrogate = bounds.with_rejections(values, log_ratio)
    np.testing.assert_array_equal(surrogate.numpy(), values.numpy())
    whole, path = (backward(sum(v), [copies], retain_graph=True)[0].numpy()[0] for v in (surrogate, values))
    h = 1e-4 * kappa
    exact = (expectation(of_w, m, kappa + h) - expectation(of_w, m, kappa - h)) / (2 * h)
    assert_mean(whole, exact)
    bias = abs(path.mean() - exact) * np.sqrt(n) / path.std()
    assert bias > 2 * CRITICAL_Z
    # Beside the mean of the others it varies less than without.
    plain = path + (values.numpy() * backward(sum(log_ratio), [copies])[0].numpy())[0]
    assert_mean(plain, exact)
    assert whole.std() < plain.std()


def test_the_gradient_by_the_mean_direction_is_unbiased(rng):
    """E a^T z = A a^T mu; its derivative by loc."""
    n, m, kappa = 20_000, 5, 4.0
    loc, a = rng.normal(size=m), rng.normal(size=m)
    copies = tensor(np.tile(loc, (n, 1)), requires_grad=True)
    z = VonMisesFisher(copies, kappa).sample(backend.generator(6))
    found = backward(sum(z * a), [copies])[0].numpy()
    length, mu = np.linalg.norm(loc), unit(loc)
    assert_mean(found, expectation(lambda w: w, m, kappa) * (a - mu * (a @ mu)) / length)


# --------------------------------------------------------- dtypes, devices, extremes


def test_float32_is_what_float64_is(rng):
    for m in (2, 8, 100):
        for kappa in (1e-3, 1.0, 50.0, 1e5):
            wide, loc = made(rng, m, kappa)
            narrow = VonMisesFisher(loc.astype("float32"), np.full(M, kappa, "float32"))
            noise = wide.draw_noise(backend.generator(1)).numpy().astype("float32")
            p = UniformOnSphere(m, wide.like)
            np.testing.assert_allclose(
                kl(narrow, UniformOnSphere(m, narrow.like)).numpy(), kl(wide, p).numpy(), rtol=1e-5, atol=2e-6
            )
            z, log_q = narrow.sample_with_log_prob(noise)
            np.testing.assert_allclose(z.numpy(), wide.sample(noise).numpy(), atol=5e-6)
            exact = wide.sample_with_log_prob(noise)[1].numpy()
            np.testing.assert_allclose(log_q.numpy(), exact, rtol=2e-5, atol=1e-5 * m)


def test_nothing_waits_moves_or_widens_on_a_device(rng):
    arrays = [Parameter(tensor(a, "float32", "strict").data) for a in (rng.normal(size=(M, 5)), np.full(M, 3.0))]
    x, generator = tensor(directions(rng, (M, 5)), "float32", "strict"), backend.generator(0, "strict")
    counter = strict.counter
    with counter.forbid_synchronization(), counter.forbid_transfers(), counter.forbid_dtype("float64"):
        q = VonMisesFisher(*arrays)
        z, log_ratio = q.sample_with_log_ratio(generator, L)
        total = sum(q.log_prob(x)) + sum(z * z) + sum(log_ratio) + sum(q.mean) + sum(q.entropy())
        total = total + sum(bounds.with_rejections(sum(z, axis=-1), log_ratio))
        backward(total + sum(kl(q, UniformOnSphere(5, q.like))), arrays)


def test_a_recorded_step_draws_anew(rng):
    generator, kappa = backend.generator(0), Parameter(np.full(M, 3.0))
    loc = rng.normal(size=(M, 3))
    draw = compile(lambda: VonMisesFisher(loc, kappa).sample(generator, 5))
    draws = np.concatenate([draw().numpy().copy() for _ in range(4)])
    again = backend.generator(0)
    eager = np.concatenate([VonMisesFisher(loc, kappa).sample(again, 5).numpy() for _ in range(4)])
    np.testing.assert_allclose(draws, eager, atol=1e-12)


@pytest.mark.parametrize("scale", [0.0, 1e-40, 1e-30, 1.0, 1e30])
@pytest.mark.parametrize("kappa", [0.0, 1.0, 1e8])
def test_any_length_of_the_mean_and_any_concentration(scale, kappa, rng):
    direction = unit(rng.normal(size=(1, 3))).astype("float32")
    loc = tensor(direction * np.float32(scale), requires_grad=True)
    concentration = tensor(np.array([kappa], "float32"), requires_grad=True)
    q = VonMisesFisher(loc, concentration)
    if scale >= 1e-30:
        np.testing.assert_allclose(q.direction.numpy(), direction, rtol=1e-6)
    else:
        np.testing.assert_allclose(np.linalg.norm(q.direction.numpy()), 1, rtol=1e-6)
    z, log_ratio = q.sample_with_log_ratio(backend.generator(0))
    np.testing.assert_allclose(np.linalg.norm(z.numpy()), 1, rtol=1e-6)
    total = sum(z) + sum(log_ratio) + sum(kl(q, UniformOnSphere(3, q.like)))
    assert_finite_gradients(total, [concentration, loc])


def test_vectors_of_one_number_are_refused():
    with pytest.raises(InputError, match=r"loc has shape \(4, 1\); expected vectors of at least 2 numbers"):
        VonMisesFisher(np.ones((4, 1)), 1.0)
    with pytest.raises(InputError, match="size is 1; expected at least 2"):
        UniformOnSphere(1, tensor(np.zeros(1)))
    with pytest.raises(InputError, match=r"loc has shape \(4,\), concentration has shape \(3,\)"):
        VonMisesFisher(np.ones((4, 2)), np.ones(3))
