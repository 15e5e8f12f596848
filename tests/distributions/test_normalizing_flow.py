"""Normalizing flows: densities by Jacobians, inverses, what each step keeps, and the four energies of the paper."""

import numpy as np
import pytest
from scipy import stats

from minivae import backend
from minivae.autodiff import (
    Parameter,
    Tensor,
    absolute,
    backward,
    exp,
    jacobian,
    logaddexp,
    mean,
    norm,
    relu,
    sigmoid,
    sin,
    square,
    sum,
    tensor,
)
from minivae.compiler import compile
from minivae.distributions import (
    Coupling,
    Householder,
    HouseholderFlow,
    Normal,
    NormalizingFlow,
    Planar,
    Radial,
    StandardNormal,
    kl,
)
from minivae.errors import InputError
from minivae.gradcheck import check_gradients
from minivae.optim import Adam

from .extremes import assert_finite_gradients

EVENT, M, L = 4, 2, 5
SHAPES = {"planar": (EVENT, EVENT, 1), "radial": (EVENT, 1, 1), "householder": (EVENT,), "coupling": (3,)}
KINDS = {"planar": Planar, "radial": Radial, "householder": Householder}
EVERY_KIND = pytest.mark.parametrize("kind", SHAPES)


def numbers_of(kind, rng, m=M, scale=2.0, dtype="float64"):
    """What a step is made of, far from the identity, for each data point."""
    return [tensor((scale * rng.normal(size=(m, n))).astype(dtype)) for n in SHAPES[kind]]


def step_of(kind, numbers):
    if kind != "coupling":
        return KINDS[kind](*numbers)
    weights = np.random.default_rng(0).normal(size=(2, 2 * (EVENT // 2)))

    def network(x, h):  # of two elements and three features
        both = x @ weights + sum(h, axis=-1, keepdims=True)
        return both[..., :2], both[..., 2:]

    return Coupling(network, *numbers)


def random_flow(kind, rng, steps=3, m=M, family=NormalizingFlow, **options):
    base = Normal(tensor(rng.normal(size=(m, EVENT))), tensor(rng.normal(size=(m, EVENT))))
    return family(base, [step_of(kind, numbers_of(kind, rng, m, **options)) for _ in range(steps)])


def log_abs_det(map, at):
    matrix = jacobian(map)(tensor(at)).numpy().reshape(EVENT, EVENT)
    return np.linalg.slogdet(matrix)[1]


@EVERY_KIND
@pytest.mark.parametrize("trial", range(20))
def test_the_determinant_is_that_of_the_jacobian_and_there_is_an_inverse(kind, trial):
    """At random numbers, however large: the sign of the determinant never changes."""
    rng = np.random.default_rng(trial)
    step, z = step_of(kind, numbers_of(kind, rng, 1, scale=0.1 * 2 ** (trial / 3))), rng.normal(size=(1, EVENT)) * 3
    y, log_det = step(z)
    expected = log_abs_det(lambda z: step(z)[0], z)
    assert np.sum(np.asarray(log_det.numpy() if isinstance(log_det, Tensor) else log_det)) == pytest.approx(
        expected, abs=1e-9
    )
    back, log_det_again = step.inverse(y)
    np.testing.assert_allclose(back.numpy(), z, rtol=1e-7, atol=1e-7 * max(1, np.exp(-expected)))
    np.testing.assert_allclose(*(np.asarray(getattr(d, "data", d)) for d in (log_det_again, log_det)), atol=1e-6)


@EVERY_KIND
def test_the_density_is_that_of_the_base_over_the_jacobian(kind, rng):
    flow, epsilon = random_flow(kind, rng, m=1), rng.normal(size=(1, EVENT))
    expected = stats.norm.logpdf(epsilon).sum() - log_abs_det(flow.transform, epsilon)
    z, log_q = flow.sample_with_log_prob(epsilon)
    assert log_q.numpy()[0] == pytest.approx(expected, abs=1e-10)
    assert flow.log_prob(z).numpy()[0] == pytest.approx(expected, abs=1e-7)
    np.testing.assert_array_equal(flow.mean.numpy(), flow.transform(np.zeros((1, EVENT))).numpy())


@EVERY_KIND
def test_any_point_has_a_density_and_a_number_stands_for_all_elements(kind, rng):
    flow = random_flow(kind, rng, scale=0.7)
    z, log_q = flow.sample_with_log_prob(backend.generator(1), L)
    assert z.shape == (L, M, EVENT)
    np.testing.assert_allclose(flow.log_prob(z).numpy(), log_q.numpy(), rtol=1e-8)
    alone = flow.log_prob(np.full((M, EVENT), 0.3)).numpy()
    for x in (0.3, np.full(EVENT, 0.3), np.full((1, EVENT), 0.3)):
        np.testing.assert_allclose(flow.log_prob(x).numpy(), alone, rtol=1e-12)


@EVERY_KIND
def test_the_density_integrates_to_one(kind, rng):
    """Importance sampling of 1 from a wider Gaussian, at points that are no samples of the flow's."""
    flow = random_flow(kind, rng, m=1, scale=0.7)
    draws = flow.sample(backend.generator(2), 5_000).numpy()[:, 0]
    wide = Normal(tensor(draws.mean(0)), tensor(np.log(4 * draws.var(0))))
    x = wide.sample(backend.generator(4), 30_000)
    ratio = np.exp((flow.log_prob(x[:, None])[:, 0] - wide.log_prob(x)).numpy())
    assert ratio.mean() == pytest.approx(1, abs=4 * ratio.std() / np.sqrt(len(ratio)))
    assert ratio.std() < 20


@EVERY_KIND
def test_gradients_of_samples_and_densities(kind, rng):
    numbers, base = numbers_of(kind, rng, scale=0.7), rng.normal(size=(2, M, EVENT))
    noise, x = rng.normal(size=(3, M, EVENT)), rng.normal(size=(M, EVENT))

    def sampled(mean, log_var, *numbers):
        z, log_q = NormalizingFlow(Normal(mean, log_var), [step_of(kind, numbers)]).sample_with_log_prob(noise)
        return sum(z, -1) + log_q

    def density(x, mean, log_var, *numbers):
        return NormalizingFlow(Normal(mean, log_var), [step_of(kind, numbers)]).log_prob(x)

    arrays = [number.numpy() for number in numbers]
    check_gradients(sampled, [*base, *arrays], order=2, tolerance=1e-5)
    check_gradients(density, [x, *base, *arrays], order=2, tolerance=1e-5)


@EVERY_KIND
def test_float32_stays_float32_and_near(kind, rng):
    numbers, z = numbers_of(kind, rng, scale=0.7), rng.normal(size=(L, M, EVENT))
    wide = NormalizingFlow(Normal(np.zeros((M, EVENT)), 0.0), [step_of(kind, numbers)])
    single = [tensor(n.numpy().astype("float32")) for n in numbers]
    narrow = NormalizingFlow(Normal(np.zeros((M, EVENT), "float32"), 0.0), [step_of(kind, single)])
    if kind != "coupling":  # (whose network here is of float64)
        for found in (*narrow.sample_with_log_prob(z.astype("float32")), narrow.log_prob(z.astype("float32"))):
            assert found.dtype == "float32"
    for found, right in zip(narrow.sample_with_log_prob(z), wide.sample_with_log_prob(z), strict=True):
        np.testing.assert_allclose(found.numpy(), right.numpy(), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(narrow.log_prob(z).numpy(), wide.log_prob(z).numpy(), rtol=1e-4, atol=1e-4)


# ------------------------------------------------------------------- each kind of step


def test_a_planar_step_turns_no_space_inside_out(rng):
    """1 + w^T u' h' > 0 for any u and w, of which w^T u may be far below -1."""
    u, w = rng.normal(size=(2, 200, EVENT)) * 5
    step = Planar(u, w, np.zeros((200, 1)))
    along = (w * step.u.numpy()).sum(-1)
    assert (w * u).sum(-1).min() < -10
    assert (step.slope.numpy() > 0).all()  # what is added to -1, which has no digits for some
    np.testing.assert_allclose(along, np.logaddexp(0, (w * u).sum(-1)) - 1, rtol=1e-9, atol=1e-12)
    across = rng.normal(size=(200, EVENT))
    across -= (across * w).sum(-1, keepdims=True) / (w * w).sum(-1, keepdims=True) * w
    np.testing.assert_allclose((across * step.u.numpy()).sum(-1), (across * u).sum(-1), rtol=1e-9, atol=1e-9)


def test_a_planar_step_without_w_is_a_shift(rng):
    u, b, z = rng.normal(size=(1, EVENT)), np.array([[0.7]]), rng.normal(size=(L, 1, EVENT))
    step = Planar(u, np.zeros((1, EVENT)), b)
    y, log_det = step(z)
    np.testing.assert_allclose(y.numpy(), z + u * np.tanh(0.7), rtol=1e-12)
    np.testing.assert_allclose(log_det.numpy(), 0.0, atol=1e-15)
    np.testing.assert_allclose(step.inverse(y)[0].numpy(), z, rtol=1e-12)


def test_a_radial_step_moves_along_the_ray_from_its_centre(rng):
    centre, a, b, z = rng.normal(size=(1, EVENT)), 0.4, -1.3, rng.normal(size=(1, EVENT))
    y = Radial(centre, [[a]], [[b]])(z)[0].numpy()
    alpha = np.log1p(np.exp(a))
    beta = -alpha + np.log1p(np.exp(b))
    r = np.linalg.norm(z - centre)
    np.testing.assert_allclose(y, z + beta / (alpha + r) * (z - centre), rtol=1e-12)
    at_centre, log_det = Radial(centre, [[a]], [[b]])(centre)
    np.testing.assert_array_equal(at_centre.numpy(), centre)
    assert log_det.numpy()[0] == pytest.approx(EVENT * np.log1p(beta / alpha), rel=1e-12)


def test_a_radial_step_turns_back_where_the_root_is_a_small_difference():
    """a = 1e-3 beside 1e3, in float32: 250 - 250.002 would have two digits left."""
    centre, a, b, y = np.zeros((1, EVENT)), np.log(np.expm1(1e-3)), 1e3, np.full((1, EVENT), 500 / np.sqrt(EVENT))
    exact, fine = (
        Radial(tensor(centre, dtype), [[a]], [[b]]).backward(tensor(y, dtype)) for dtype in ("float64", "float32")
    )
    for expected, found in zip(exact, fine, strict=True):
        np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-5)


def test_far_out_a_radial_step_turns_back_with_a_gradient():
    """Where the root that is not taken would divide by 0."""
    y = tensor(np.full((1, EVENT), 1e6), "float32", requires_grad=True)
    z, log_det = Radial(tensor(np.zeros((1, EVENT)), "float32"), [[-7.0]], [[-7.0]]).backward(y)
    np.testing.assert_allclose(z.numpy(), y.numpy(), rtol=1e-6)
    assert_finite_gradients(z.sum() + log_det.sum(), [y])


def test_a_radial_step_of_equal_numbers_is_the_identity(rng):
    """a' = b': b = 0."""
    z = rng.normal(size=(L, 1, EVENT))
    y, log_det = Radial(np.ones((1, EVENT)), [[0.3]], [[0.3]])(z)
    np.testing.assert_allclose(y.numpy(), z, rtol=1e-12)
    np.testing.assert_allclose(log_det.numpy(), 0.0, atol=1e-12)


def test_a_householder_step_is_a_mirror(rng):
    """It keeps lengths and what is across v, turns v round, is its own inverse, and knows no length of v."""
    v, z = rng.normal(size=(1, EVENT)), rng.normal(size=(L, 1, EVENT))
    step = Householder(v)
    y, log_det = step(z)
    assert log_det == 0
    np.testing.assert_allclose(np.linalg.norm(y.numpy(), axis=-1), np.linalg.norm(z, axis=-1), rtol=1e-12)
    np.testing.assert_allclose(step(v)[0].numpy(), -v, rtol=1e-12)
    np.testing.assert_allclose(step(y)[0].numpy(), z, rtol=1e-12)
    np.testing.assert_allclose(Householder(v * 1e-6)(z)[0].numpy(), y.numpy(), rtol=1e-12)
    np.testing.assert_array_equal(Householder(v * 0)(z)[0].numpy(), z)


def test_a_householder_flow_is_the_gaussian_of_its_axes(rng):
    """Its density by SciPy, and its KL from N(0, I), which is the base's."""
    flow = random_flow("householder", rng, m=1, family=HouseholderFlow)
    turn = jacobian(lambda z: flow.transform(z))(tensor(np.zeros((1, EVENT)))).numpy().reshape(EVENT, EVENT)
    q = stats.multivariate_normal(flow.mean.numpy()[0], turn @ turn.T)
    x = rng.normal(size=(L, 1, EVENT))
    np.testing.assert_allclose(flow.log_prob(x).numpy()[:, 0], q.logpdf(x[:, 0]), rtol=1e-9)
    mu, cov = q.mean, q.cov
    expected = 0.5 * (np.trace(cov) + mu @ mu - EVENT - np.linalg.slogdet(cov)[1])
    p = StandardNormal(EVENT, flow.like)
    assert kl(flow, p).numpy()[0] == pytest.approx(expected, rel=1e-9)
    z, log_q = flow.sample_with_log_prob(backend.generator(0), L)
    z0, log_q0 = flow.base.sample_with_log_prob(backend.generator(0), L)
    np.testing.assert_allclose((log_q - p.log_prob(z)).numpy(), (log_q0 - p.log_prob(z0)).numpy(), rtol=1e-10)


def test_a_coupling_moves_half_of_the_elements_by_at_most_e(rng):
    step, z = step_of("coupling", numbers_of("coupling", rng, 1)), rng.normal(size=(1, EVENT))
    matrix = jacobian(lambda z: step(z)[0])(tensor(z)).numpy().reshape(EVENT, EVENT)[::-1]
    np.testing.assert_array_equal(matrix[:2], np.eye(EVENT)[:2])
    assert not np.triu(matrix, 1).any()
    assert (np.abs(np.log(np.diag(matrix))) <= 1).all()
    assert np.abs(matrix[2:, :2]).min() > 0


def test_of_an_odd_number_one_more_is_moved(rng):
    seen = []
    step = Coupling(lambda x, h: (seen.append(x.shape), h, h)[1:], tensor(rng.normal(size=(1, 3))))
    assert step(rng.normal(size=(1, 5)))[0].shape == (1, 5)
    assert seen == [(1, 2)]


def test_a_step_of_another_kind_is_refused():
    with pytest.raises(InputError, match=r"steps\[0\] is .*; expected a FlowStep"):
        NormalizingFlow(Normal(np.zeros((1, 2)), 0.0), [lambda z: z])


# --------------------------------------------------- Rezende & Mohamed 2015, Table 1


def wave(z):
    return sin(z[..., 0] * (2 * np.pi / 4))


def well(t, width):
    return square(t / width) * -0.5


ENERGIES = {
    "ring": lambda z: (
        -well(norm(z, axis=-1) - 2.0, 0.4) - logaddexp(well(z[..., 0] - 2.0, 0.6), well(z[..., 0] + 2.0, 0.6))
    ),
    "wave": lambda z: -well(z[..., 1] - wave(z), 0.4),
    "fork": lambda z: (
        -logaddexp(
            well(z[..., 1] - wave(z), 0.35), well(z[..., 1] - wave(z) + exp(well(z[..., 0] - 1.0, 0.6)) * 3.0, 0.35)
        )
    ),
    "step": lambda z: (
        -logaddexp(
            well(z[..., 1] - wave(z), 0.4), well(z[..., 1] - wave(z) + sigmoid((z[..., 0] - 1.0) / 0.3) * 3.0, 0.35)
        )
    ),
}


def energy(name, z):
    """U(z); the last three have no end along z_1, and get one at +-4, the edge of the paper's pictures."""
    return ENERGIES[name](z) - well(relu(absolute(z[..., 0]) - 4.0), 0.2)


def log_normalizer(name):
    """log of the integral of e^-U, by a sum on a grid."""
    axis = np.arange(-7, 7, 0.02)
    z = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1)
    return np.log(np.exp(-energy(name, tensor(z)).numpy()).sum() * 0.02**2)


def fitted_kl(name, kind, steps, updates=1000, draws=64):
    """KL(q || e^-U / Z) of a flow with numbers of its own, fitted to the energy; estimated with 20,000 draws."""
    rng, sizes = np.random.default_rng(steps), {"planar": (2, 2, 1), "radial": (2, 1, 1)}[kind]
    base = [Parameter(np.zeros((1, 2))), Parameter(np.zeros((1, 2)))]
    numbers = [[Parameter(rng.normal(size=(1, n))) for n in sizes] for _ in range(steps)]
    parameters = [*base, *(p for each in numbers for p in each)]
    optimizer, source = Adam(parameters, 0.03), backend.generator(0)

    def gap(n):
        z, log_q = NormalizingFlow(Normal(*base), [KINDS[kind](*each) for each in numbers]).sample_with_log_prob(
            source, n
        )
        return mean(log_q + energy(name, z))

    step = compile(lambda: optimizer.apply(backward(gap(draws), parameters)))
    for i in range(updates):
        optimizer.advance(0.5 * (1 + np.cos(np.pi * i / updates)))
        step()
    return float(gap(20_000)) + log_normalizer(name)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["planar", "radial"])
@pytest.mark.parametrize("name", ENERGIES)
def test_the_kl_from_an_energy_falls_with_the_number_of_flows(name, kind):
    none, few, many = (fitted_kl(name, kind, steps) for steps in (0, 2, 16))
    assert none > few > many > -0.02
    assert many < 0.6 * none
