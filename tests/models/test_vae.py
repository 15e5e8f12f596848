"""The paper's model: shapes, estimators, floor, samples, configuration, and what it refuses."""

import json
import math

import numpy as np
import pytest

from minivae import autodiff, backend
from minivae.autodiff import backward, grad, hooked, tensor
from minivae.datasets.domain import REAL, UNIT
from minivae.distributions import Bernoulli, Normal, StandardNormal
from minivae.errors import InputError
from minivae.gradcheck import check_gradients
from minivae.models import MODELS, VAE, Batch
from minivae.models.vae import LOG_VAR_FLOOR, GaussianMLP

from ..chance import assert_mean, assert_moments
from .kinds import DATA_DIM, EVERY_KIND, HIDDEN, KINDS, LATENT_DIM, M, data, noise, small_vae

# -------------------------------------------------------------------- gradients


@EVERY_KIND
@pytest.mark.parametrize("estimator", ["A", "B"])
@pytest.mark.parametrize("samples", [1, 3])
def test_gradients_of_the_whole_model(kind, estimator, samples, rng):
    """Every element of the gradient of every parameter, against differences of the loss."""
    model = small_vae(kind, estimator=estimator, dtype="float64")
    batch, epsilon = Batch(tensor(data(rng))), tensor(noise(rng, samples))
    report = check_gradients(
        lambda *_: model.phases(batch, epsilon)[0].loss, model.parameters(), mode="jacobian", tolerance=1e-6
    )
    assert report.comparisons == sum(p.size for p in model.parameters())


@EVERY_KIND
@pytest.mark.parametrize("estimator", ["A", "B"])
def test_gradients_of_each_data_point_by_the_data(kind, estimator, rng):
    """Through the encoder and the likelihood at once, with a random cotangent."""
    model, epsilon = small_vae(kind, estimator=estimator, dtype="float64"), tensor(noise(rng, 2))
    check_gradients(lambda x: model.bound(x, epsilon).value, [data(rng)], tolerance=1e-6)


# ----------------------------------------------------------------------- shapes


@EVERY_KIND
@pytest.mark.parametrize("lead", [(M,), (1,), (2, M), ()])
def test_shapes(kind, lead, rng, backend_name):
    model = small_vae(kind, backend=backend_name)
    x = tensor(data(rng, lead), "float32", backend_name)
    z = model.encode(x)
    assert z.shape == (*lead, LATENT_DIM)
    assert model.decode(z).shape == model.reconstruct(x).shape == (*lead, DATA_DIM)
    np.testing.assert_array_equal(model.reconstruct(x).numpy(), model.decode(model.encode(x)).numpy())
    assert model.posterior(x).stddev.shape == (*lead, LATENT_DIM)
    assert model.sample(backend.generator(0, backend_name), 4).shape == (4, DATA_DIM)


@EVERY_KIND
@pytest.mark.parametrize("estimator", ["A", "B"])
@pytest.mark.parametrize("samples", [1, 3])
def test_the_bound_is_one_number_for_each_data_point(kind, estimator, samples, rng, backend_name):
    model = small_vae(kind, estimator=estimator, samples=samples, backend=backend_name)
    x = tensor(data(rng), "float32", backend_name)
    drawn = model.bound(x, backend.generator(1, backend_name))
    given = model.bound(x, backend.asarray(noise(rng, samples), backend=backend_name))
    assert {part.shape for part in (*drawn, *given)} == {(M,)}
    np.testing.assert_allclose(drawn.value.numpy(), (drawn.reconstruction - drawn.kl).numpy(), rtol=1e-6)


def test_a_generator_draws_the_noise_that_can_be_given(rng):
    model, x = small_vae(samples=3), data(rng)
    epsilon = backend.generator(7).standard_normal((3, M, LATENT_DIM), "float32")
    for ours, given in zip(model.bound(x, backend.generator(7)), model.bound(x, epsilon), strict=True):
        np.testing.assert_array_equal(ours.numpy(), given.numpy())
    fewer = model.bound(x, backend.generator(7), samples=1).value.numpy()
    np.testing.assert_array_equal(fewer, model.bound(x, epsilon[:1]).value.numpy())


def test_more_samples_are_averaged(rng):
    model, x, epsilon = small_vae(dtype="float64"), data(rng), noise(rng, 3)
    each = [model.bound(x, epsilon[i : i + 1]).value.numpy() for i in range(3)]
    np.testing.assert_allclose(model.bound(x, epsilon).value.numpy(), np.mean(each, axis=0), rtol=1e-12)


def test_the_parts_of_the_model_are_those_of_the_paper(rng):
    x = data(rng)
    bernoulli, gaussian = small_vae("bernoulli"), small_vae("gaussian")
    assert type(bernoulli.posterior(x)) is type(gaussian.posterior(x)) is Normal
    assert type(bernoulli.likelihood(noise(rng)[0])) is Bernoulli
    assert type(gaussian.likelihood(noise(rng)[0])) is Normal
    assert type(bernoulli.prior()) is StandardNormal
    assert ((gaussian.reconstruct(x).numpy() > 0) & (gaussian.reconstruct(x).numpy() < 1)).all()
    assert MODELS["vae"] is VAE
    assert [bernoulli.domain, gaussian.domain] == [UNIT, UNIT]
    assert small_vae("unbounded").domain is REAL


# ------------------------------------------------------------------- estimators


@EVERY_KIND
def test_a_and_b_have_one_expectation(kind, rng):
    """Their reconstructions are equal; the KL of A, one sample at a time, has the mean that B gives."""
    a, b = (small_vae(kind, estimator=estimator, dtype="float64") for estimator in "AB")
    x, draws = data(rng), 4000
    repeated = np.repeat(x, draws, axis=0)  # each data point as its own minibatch of `draws`
    epsilon = noise(rng, m=M * draws)
    by_a, by_b = a.bound(repeated, epsilon), b.bound(repeated, epsilon)
    np.testing.assert_array_equal(by_a.reconstruction.numpy(), by_b.reconstruction.numpy())
    kl = by_b.kl.numpy().reshape(M, draws)[:, 0]
    assert_mean(by_a.kl.numpy().reshape(M, draws).T, kl)
    assert by_a.kl.numpy().std() > 0.1  # A's is an estimate
    assert (kl > 0).all()


# ------------------------------------------------------------------------ floor


def test_the_floor_is_the_variance_of_rounding_to_256_steps():
    steps = np.linspace(-0.5, 0.5, 100_001) / 256  # the errors of rounding, evenly
    assert math.exp(LOG_VAR_FLOOR) == pytest.approx(steps.var(), rel=1e-4)


def floored(shift):
    """The log-variances of a decoder as a function of what its last layer gives."""
    decoder = GaussianMLP(2, (), 3, backend.generator(0), log_var_floor=LOG_VAR_FLOOR, dtype="float64")
    decoder.log_var.weight.data[...] = 0

    def log_var(bias):
        decoder.log_var.bias = bias
        return decoder(np.zeros((1, 2))).log_var

    return log_var, np.array([-1.0, 0.0, 1.0]) + shift


@pytest.mark.parametrize("above", [-60.0, -3.0, 0.0, 3.0, 14.0])
def test_the_floor_is_smooth_and_its_gradient_lives(above):
    log_var, raw = floored(LOG_VAR_FLOOR + above)
    found = log_var(tensor(raw)).numpy()[0]
    np.testing.assert_allclose(found, LOG_VAR_FLOOR + np.logaddexp(0, raw - LOG_VAR_FLOOR), rtol=1e-12)
    assert (found >= LOG_VAR_FLOOR).all()
    slope = grad(lambda bias: autodiff.sum(log_var(bias)))(tensor(raw)).numpy()
    np.testing.assert_allclose(slope, 1 / (1 + np.exp(LOG_VAR_FLOOR - raw)), rtol=1e-12)
    assert (slope > 0).all()
    if above > -20:  # below, differences of so large a number see nothing
        check_gradients(log_var, [raw], order=2)


def test_the_floor_leaves_usual_variances_alone():
    log_var, raw = floored(0.0)
    np.testing.assert_allclose(log_var(tensor(raw)).numpy()[0], raw, atol=1e-5)


def test_the_decoder_has_the_floor_and_the_encoder_has_not(rng):
    model = small_vae("gaussian", dtype="float64")
    model.decoder.log_var.bias.data[...] = model.encoder.log_var.bias.data[...] = -100.0
    np.testing.assert_allclose(model.likelihood(noise(rng)[0]).log_var.numpy(), LOG_VAR_FLOOR, rtol=1e-12)
    assert (model.posterior(data(rng)).log_var.numpy() < -90).all()


# ---------------------------------------------------------------------- samples


def test_samples_are_the_prior_decoded(backend_name):
    """With a linear decoder, x = W z + b has mean b and covariance W^T W."""
    model = small_vae("unbounded", hidden=(), dtype="float64", backend=backend_name)
    weight, bias = model.decoder.mean.weight.numpy(), model.decoder.mean.bias.numpy()
    x = model.sample(backend.generator(3, backend_name), 20_000).numpy()
    assert_moments(x, bias, (weight**2).sum(axis=0))
    deviation = x - bias
    assert_mean(deviation[:, :, None] * deviation[:, None, :], weight.T @ weight)


@EVERY_KIND
def test_nothing_that_users_call_is_recorded(kind, rng):
    model, nodes = small_vae(kind), []
    x, z = tensor(data(rng), "float32"), tensor(noise(rng)[0], "float32")
    with hooked(lambda primitive, inputs, attributes, output: nodes.append(output.node)):
        results = [model.encode(x), model.decode(z), model.reconstruct(x), model.sample(backend.generator(0), 2)]
    assert len(nodes) > 10
    assert not any(nodes)
    assert not any(result.requires_grad for result in results)
    assert model.likelihood(z).mean.requires_grad  # what training calls is


# --------------------------------------------------------- weights, configuration


@EVERY_KIND
def test_the_configuration_rebuilds_the_model(kind, rng):
    model = small_vae(kind, estimator="A", samples=2, activation="relu", init="he", hidden=np.array([5, 4]))
    again = VAE(**json.loads(json.dumps(model.config)), seed=99)
    assert again.config == model.config
    again.load_state_dict(model.state_dict())
    x, epsilon = data(rng), noise(rng, 2)
    for ours, theirs in zip(model.bound(x, epsilon), again.bound(x, epsilon), strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


@EVERY_KIND
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_one_seed_gives_the_same_weights_on_every_backend(kind, dtype, backend_name):
    def weights(seed, backend):
        return VAE(DATA_DIM, LATENT_DIM, HIDDEN, **KINDS[kind], seed=seed, dtype=dtype, backend=backend)

    here, there, other = weights(5, "numpy"), weights(5, backend_name), weights(6, backend_name)
    assert all(backend.backend_of(p.data).name == backend_name for p in there.parameters())
    for name, value in here.state_dict().items():
        np.testing.assert_array_equal(value, there.state_dict()[name], strict=True)
        assert value.dtype == dtype
    different = [name for name, value in here.state_dict().items() if (value != other.state_dict()[name]).any()]
    assert different == [name for name in here.state_dict() if name.endswith("weight")]  # biases begin at 0


@pytest.mark.parametrize("kind", ["bernoulli", "gaussian"])
def test_the_decoder_has_the_encoders_layers_in_reverse(kind):
    model = small_vae(kind)
    layers = [p.shape for _, p in model.named_parameters() if p.ndim == 2]
    encoder, decoder = layers[:4], layers[4:]
    assert encoder == [(6, 5), (5, 4), (4, 2), (4, 2)]
    assert decoder == [(2, 4), (4, 5), (5, 6), (5, 6)][: len(decoder)]
    assert len(decoder) == {"bernoulli": 3, "gaussian": 4}[kind]


def test_every_parameter_is_trained(rng):
    model = small_vae("gaussian")
    (phase,) = model.phases(Batch(data(rng)), noise(rng))
    assert phase.parameters == model.parameters()
    assert len(model.parameters()) == 2 * (2 + 1 + 1) * 2  # weight and bias of 2 hidden, mean, variance; twice
    assert all((g.numpy() != 0).all() for g in backward(phase.loss, phase.parameters))


# -------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hidden": (5, 0)}, r"hidden\[1\] is 0; expected an integer of at least 1"),
        ({"hidden": 500}, r"hidden is 500; expected a sequence of layer sizes, such as \(500,\)"),
        ({"likelihood": "gausian"}, "likelihood is 'gausian'; .* did you mean 'gaussian'"),
        ({"sigmoid_mean": True}, "sigmoid_mean is True with the bernoulli likelihood"),
        ({"activation": "tan"}, "activation is 'tan'; .* did you mean 'tanh'"),
        ({"backend": "numy"}, "backend is 'numy'; .* did you mean 'numpy'"),
    ],
)
def test_what_is_near_a_right_argument_is_told_so(options, message):
    with pytest.raises(InputError, match=message):
        VAE(**{"data_dim": DATA_DIM, "latent_dim": LATENT_DIM, "hidden": HIDDEN} | options)


@pytest.mark.parametrize("kind", ["bernoulli", "gaussian"])
def test_data_of_another_width_are_refused(kind):
    model = VAE(784, 20, (3,), likelihood=kind)
    x, z = np.zeros((5, 783), np.float32), np.zeros((5, 19), np.float32)
    wrong_x = r"x has shape \(5, 783\), but this model was built for data_dim=784"
    for call in (model.encode, model.reconstruct, model.posterior, lambda x: model.bound(x, backend.generator(0))):
        with pytest.raises(InputError, match=wrong_x):
            call(x)
    for call in (model.decode, model.likelihood):
        with pytest.raises(InputError, match=r"z has shape \(5, 19\), but this model was built for latent_dim=20"):
            call(z)
    with pytest.raises(InputError, match=r"x has shape \(\), but"):
        model.encode(1.0)


@pytest.mark.parametrize("shape", [(M, LATENT_DIM), (2, M, 1), (2, 1, LATENT_DIM), (2, M + 1, LATENT_DIM), ()])
def test_noise_that_would_be_shared_by_broadcasting_is_refused(shape, rng):
    with pytest.raises(InputError, match=r"noise has shape .*; expected \(L, M, latent_dim\), here \(L, 3, 2\)"):
        small_vae().bound(data(rng), np.zeros(shape))
