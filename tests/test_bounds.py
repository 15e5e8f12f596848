"""The estimators against the paper's equations written out. Their averages: :mod:`.test_estimators`."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from minivae import backend, bounds
from minivae.autodiff import Parameter, backward, exp, sum, tensor
from minivae.distributions import Bernoulli, Normal, StandardNormal, kl
from minivae.errors import InputError
from minivae.gradcheck import check_gradients
from minivae.nn import MLP, Linear

from .doubles.strict_device import strict
from .linear_gaussian import LinearGaussian

M, LATENT, DATA = 4, 3, 6
SAMPLES = pytest.mark.parametrize("L", [1, 3])


@pytest.fixture
def model(rng):
    return LinearGaussian(rng, DATA, LATENT)


def terms(rng, *shapes, backend="numpy"):
    """Random log-densities, as arrays and as tensors."""
    arrays = [rng.normal(-2, 3, shape) for shape in shapes]
    return arrays, [tensor(array, backend=backend) for array in arrays]


def assert_bound(bound, value, reconstruction, divergence):
    for found, expected in zip(bound, (value, reconstruction, divergence), strict=True):
        assert found.shape == (M,)
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)


# ---------------------------------------------------- the equations, written out


@SAMPLES
def test_equation_6(L, rng, backend_name):
    """L_A(x_m) = (1/L) sum_l log p(x_m, z_ml) - log q(z_ml | x_m)."""
    (likelihood, prior, posterior), tensors = terms(rng, *[(L, M)] * 3, backend=backend_name)
    value, reconstruction, divergence = [0.0] * M, [0.0] * M, [0.0] * M
    for m, s in itertools.product(range(M), range(L)):
        value[m] += (likelihood[s, m] + prior[s, m] - posterior[s, m]) / L
        reconstruction[m] += likelihood[s, m] / L
        divergence[m] += (posterior[s, m] - prior[s, m]) / L
    assert_bound(bounds.sgvb_a(*tensors), value, reconstruction, divergence)


@SAMPLES
def test_equation_7(L, rng, backend_name):
    """L_B(x_m) = -KL_m + (1/L) sum_l log p(x_m | z_ml)."""
    (likelihood, divergence), tensors = terms(rng, (L, M), (M,), backend=backend_name)
    reconstruction = [math.fsum(likelihood[s, m] for s in range(L)) / L for m in range(M)]
    value = [-divergence[m] + reconstruction[m] for m in range(M)]
    assert_bound(bounds.sgvb_b(*tensors), value, reconstruction, divergence)


@SAMPLES
def test_equation_10(L, rng, backend_name):
    """1/2 sum_j (1 + log s_j^2 - m_j^2 - s_j^2) + (1/L) sum_l log p(x | z_l)."""
    mean, log_var, likelihood = rng.normal(size=(M, LATENT)), rng.normal(size=(M, LATENT)), rng.normal(size=(L, M))
    value, reconstruction, divergence = [], [], []
    for m in range(M):
        first = 0.5 * math.fsum(1 + log_var[m, j] - mean[m, j] ** 2 - math.exp(log_var[m, j]) for j in range(LATENT))
        second = math.fsum(likelihood[s, m] for s in range(L)) / L
        value.append(first + second), reconstruction.append(second), divergence.append(-first)
    mean, log_var, likelihood = (tensor(a, backend=backend_name) for a in (mean, log_var, likelihood))
    divergence_of_q = kl(Normal(mean, log_var), StandardNormal(LATENT, mean))
    assert_bound(bounds.sgvb_b(likelihood, divergence_of_q), value, reconstruction, divergence)


@SAMPLES
def test_estimator_a_is_b_with_a_sampled_divergence(L, rng):
    (_, prior, posterior), tensors = terms(rng, *[(L, M)] * 3)
    estimator_b = bounds.sgvb_b(tensors[0], tensor((posterior - prior).mean(0)))
    for found, expected in zip(bounds.sgvb_a(*tensors), estimator_b, strict=True):
        np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-12)


@pytest.mark.parametrize("groups", [1, 2, 6])
def test_the_importance_weighted_bound_written_out(groups, rng, backend_name):
    """The mean over groups of log (1/K) sum_k p(x, z_k) / q(z_k | x); its parts are those of estimator A."""
    (likelihood, prior, posterior), tensors = terms(rng, *[(6, M)] * 3, backend=backend_name)
    each, value = 6 // groups, [0.0] * M
    for m, group in itertools.product(range(M), range(groups)):
        rows = range(group * each, (group + 1) * each)
        weights = [math.exp(likelihood[k, m] + prior[k, m] - posterior[k, m]) for k in rows]
        value[m] += math.log(math.fsum(weights) / each) / groups
    a = bounds.sgvb_a(*tensors)
    found = bounds.importance_weighted(*tensors, groups)
    assert_bound(found, value, a.reconstruction.numpy(), a.kl.numpy())
    if groups == 6:
        np.testing.assert_allclose(found.value.numpy(), a.value.numpy(), rtol=1e-12)


def test_groups_that_are_not_equal_are_refused(rng):
    _, tensors = terms(rng, *[(6, M)] * 3)
    with pytest.raises(InputError, match="groups is 4; expected a divisor of the number of samples, 6"):
        bounds.importance_weighted(*tensors, 4)


def test_the_parts_of_a_bound_are_its_averages(rng):
    arrays, tensors = terms(rng, (M,), (M,), (M,))
    found = {name: term.item() for name, term in bounds.Bound(*tensors).terms().items()}
    means = dict(zip(("bound", "reconstruction", "kl"), (array.mean() for array in arrays), strict=True))
    assert found == pytest.approx(means, rel=1e-12)


# --------------------------------------------------- terms from networks


def both_estimators(likelihood, x, q, z):
    """Estimators A and B for draws z ``(L, M, latent)``."""
    log_likelihood = likelihood(z).log_prob(x)
    prior = StandardNormal(z.shape[-1], z)
    estimator_a = bounds.sgvb_a(log_likelihood, prior.log_prob(z), q.log_prob(z))
    return estimator_a, bounds.sgvb_b(log_likelihood, kl(q, prior))


def random_encoder(x):
    """The means and log-variances that an untrained network gives, ``(M, latent)`` each."""
    hidden = MLP((DATA, 8), backend.generator(3), activate_last=True, dtype="float64")
    heads = [Linear(8, LATENT, backend.generator(seed), dtype="float64") for seed in (4, 5)]
    return [head(hidden(x)).numpy() for head in heads]


# -------------------------------------------------------------- minibatches


def of_rows(values, backend_name):
    """A bound of these values."""
    value = tensor(values, backend=backend_name)
    return bounds.Bound(value, value, value)


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_equation_8_is_unbiased(size, rng, backend_name):
    """The mean over all minibatches is the sum over the data set, exactly."""
    values = rng.normal(size=5)
    estimates = [
        5 * of_rows(values[list(rows)], backend_name).terms()["bound"].item()
        for rows in itertools.combinations(range(5), size)
    ]
    assert len(estimates) == math.comb(5, size)
    np.testing.assert_allclose(np.mean(estimates), values.sum(), rtol=1e-13)


# ---------------------------------------------------- the score function


def test_the_score_function_is_exact_over_all_values_of_a_discrete_z(rng):
    """sum_z q(z) f(z) grad log q(z) = grad sum_z q(z) f(z), by enumeration: f holds log q(z); two derivatives."""
    z = np.array(list(itertools.product([0.0, 1.0], repeat=LATENT)))
    points, values, v = tensor(z), tensor(rng.normal(size=len(z))), rng.normal(size=LATENT)
    logits = Parameter(rng.normal(size=LATENT))
    q = Bernoulli(logits)
    estimates = bounds.score_function(lambda z: values - q.log_prob(z), q, points)
    probability = exp(q.log_prob(points))
    found = sum(estimates * tensor(probability.numpy()))
    exact = sum(values * probability) + q.entropy()
    for _ in range(2):
        np.testing.assert_allclose(found.numpy(), exact.numpy(), rtol=1e-12)
        by_found, by_exact = (backward(total, [logits], create_graph=True)[0] for total in (found, exact))
        np.testing.assert_allclose(by_found.numpy(), by_exact.numpy(), rtol=1e-11)
        found, exact = sum(by_found * v), sum(by_exact * v)


def test_the_score_function_is_f_and_takes_no_gradient_through_z(rng):
    mu, scale = Parameter(rng.normal(size=LATENT)), Parameter(rng.normal(size=LATENT))
    q = Normal(mu, 0.0)
    z = q.sample(rng.normal(size=(5, LATENT)))
    value = bounds.score_function(lambda z: sum(z * z * scale, axis=-1), q, z)
    f = (z.numpy() ** 2 * scale.numpy()).sum(-1)
    np.testing.assert_allclose(value.numpy(), f, rtol=1e-14)
    by_mu, by_scale = backward(sum(value), [mu, scale])
    np.testing.assert_allclose(by_mu.numpy(), (f[:, None] * (z.numpy() - mu.numpy())).sum(0), rtol=1e-12)
    np.testing.assert_allclose(by_scale.numpy(), (z.numpy() ** 2).sum(0), rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_score_function_stays_on_its_device_in_its_dtype(dtype, rng):
    mu = tensor(rng.normal(size=(4, LATENT)), dtype, "strict", requires_grad=True)
    q = Normal(mu, 0.0)
    z = q.sample(backend.generator(0, "strict"), 2)
    with strict.counter.forbid_synchronization(), strict.counter.forbid_transfers(), strict.counter.count() as counts:
        backward(sum(bounds.score_function(lambda z: sum(z, axis=-1), q, z)), [mu])
    assert counts.dtypes == {dtype}


@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (3, 2)])
def test_with_rejections_has_each_value_beside_the_mean_of_all_others(shape, rng):
    values, log_ratio = (tensor(rng.normal(size=shape), requires_grad=True) for _ in range(2))
    found = bounds.with_rejections(values * 1.0, log_ratio * 2.0)
    np.testing.assert_array_equal(found.numpy(), values.numpy())
    by_values, by_ratio = backward(sum(found), [values, log_ratio])
    np.testing.assert_array_equal(by_values.numpy(), np.ones(shape))
    f = values.numpy()
    others = np.array([np.delete(f.ravel(), i).mean() if f.size > 1 else 0.0 for i in range(f.size)]).reshape(shape)
    np.testing.assert_allclose(by_ratio.numpy(), 2 * (f - others), rtol=1e-12)


@pytest.mark.parametrize("shape", [(), (1,), (5, 1)])
def test_values_that_would_broadcast_are_refused(shape):
    q = Normal(np.zeros(LATENT), 0.0)
    with pytest.raises(InputError) as error:
        bounds.score_function(lambda z: tensor(np.zeros(shape)), q, tensor(np.zeros((5, LATENT))))
    assert str(error.value) == f"f(z) has shape {shape}; expected that of q.log_prob(z), (5,)"


# ------------------------------------------------------- prior over the weights


def test_the_weight_prior_counts_the_matrices_alone(backend_name):
    mlp = MLP((5, 4, 3), backend.generator(0, "numpy"), init="he", dtype="float64", backend=backend_name)
    expected = math.fsum(stats.norm.logpdf(layer.weight.numpy()).sum() for layer in mlp.layers)
    np.testing.assert_allclose(bounds.weight_log_prior(mlp.parameters()).item(), expected, rtol=1e-13)
    for layer in mlp.layers:
        layer.bias.data[...] = 7
    np.testing.assert_allclose(bounds.weight_log_prior(p for p in mlp.parameters()).item(), expected, rtol=1e-13)


def test_the_weight_prior_pulls_weights_to_zero_and_leaves_biases_free(rng):
    weight, bias = Parameter(rng.normal(size=(3, 2))), Parameter(rng.normal(size=2))
    by_weight, by_bias = backward(bounds.weight_log_prior([weight, bias]), [weight, bias])
    np.testing.assert_allclose(by_weight.numpy(), -weight.numpy(), rtol=1e-14)
    np.testing.assert_array_equal(by_bias.numpy(), 0)


# -------------------------------------------------------------- gradients


@SAMPLES
@pytest.mark.parametrize("estimator", [0, 1], ids=["A", "B"])
def test_gradients_of_the_gaussian_model(estimator, L, model, rng):
    """By the encoder's outputs and the data, with the noise fixed."""
    noise = rng.normal(size=(L, M, LATENT))

    def value(mean, log_var, x):
        q = Normal(mean, log_var)
        return both_estimators(model.likelihood, x, q, q.sample(noise))[estimator].value

    x = model.data(rng, M)
    check_gradients(value, [*random_encoder(x), x], order=2, mode="jacobian")


@SAMPLES
@pytest.mark.parametrize("estimator", [0, 1], ids=["A", "B"])
def test_gradients_of_the_bernoulli_model(estimator, L, rng):
    """By the encoder's outputs and the decoder's weights, with the noise fixed; the data are bits."""
    decoder = MLP((LATENT, 5, DATA), backend.generator(1), dtype="float64")
    noise, x = rng.normal(size=(L, M, LATENT)), rng.integers(0, 2, (M, DATA))

    def value(mean, log_var, *_):
        q = Normal(mean, log_var)
        return both_estimators(lambda z: Bernoulli(decoder(z)), x, q, q.sample(noise))[estimator].value

    inputs = [rng.normal(size=(M, LATENT)), rng.normal(size=(M, LATENT)), *decoder.parameters()]
    check_gradients(value, inputs, order=2, mode="jacobian")


def test_gradients_of_each_part_by_its_terms(rng):
    arrays, _ = terms(rng, *[(3, M)] * 3)
    check_gradients(lambda *t: bounds.sgvb_a(*t).value, arrays, mode="jacobian")
    check_gradients(lambda *t: bounds.sgvb_b(*t).value, [arrays[0], arrays[1][0]], mode="jacobian")
    check_gradients(lambda *w: bounds.weight_log_prior(w), arrays, order=2, mode="jacobian")


# --------------------------------------------------------- dtypes, devices, errors


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtype_stays_and_nothing_waits_on_a_device(dtype, rng):
    mean, log_var, noise, x = (
        tensor(rng.normal(size=shape), dtype, "strict")
        for shape in [(M, LATENT), (M, LATENT), (2, M, LATENT), (M, DATA)]
    )
    weight = tensor(rng.normal(size=(LATENT, DATA)), dtype, "strict")
    with strict.counter.forbid_synchronization(), strict.counter.forbid_transfers(), strict.counter.count() as counts:
        q = Normal(mean, log_var)

        for bound in both_estimators(lambda z: Normal(z @ weight, 0.0), x, q, q.sample(noise)):
            bound.terms()["bound"] * 100 + bounds.weight_log_prior([weight])
    assert counts.dtypes == {dtype}


@pytest.mark.parametrize("wrong", ["log_prior", "log_posterior"])
@pytest.mark.parametrize("shape", [(M,), (1, M), (2, 1), (2, M, 1)])
def test_terms_of_estimator_a_that_would_broadcast_are_refused(wrong, shape):
    right = tensor(np.zeros((2, M)))
    arguments = {"log_prior": right, "log_posterior": right} | {wrong: tensor(np.zeros(shape))}
    with pytest.raises(InputError) as error:
        bounds.sgvb_a(right, **arguments)
    assert str(error.value) == f"{wrong} has shape {shape}; expected (2, {M})"


@pytest.mark.parametrize("shape", [(), (1,), (2, M)])
def test_divergences_that_would_broadcast_are_refused(shape):
    with pytest.raises(InputError) as error:
        bounds.sgvb_b(tensor(np.zeros((2, M))), tensor(np.zeros(shape)))
    assert str(error.value) == f"divergence has shape {shape}; expected ({M},)"
