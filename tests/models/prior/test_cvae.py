"""CVAE and CMMA: on conditional bench P, and what they are when y never changes."""

import numpy as np
import pytest
from scipy import stats

from minivae import backend
from minivae.autodiff import backward, mean, tensor
from minivae.compiler import compile
from minivae.errors import InputError
from minivae.models import MODELS
from minivae.optim import Adam

from ...chance import CRITICAL_Z
from ...linear_gaussian import LinearGaussian
from ..bench import sigma_points
from ..members import M, Repeated, batch_for, member, shaken

CONDITIONS = 3


def constant(model):
    """The same y for all data points."""
    return tensor(np.tile(np.eye(CONDITIONS)[1], (M, 1)))


@pytest.mark.parametrize("name", ["cvae", "cmma"])
def test_a_y_that_never_changes_leaves_the_vae(name, rng):
    """Its weights are then part of the biases; and the prior is N(0, I) if it is not learnt."""
    model = shaken(member(name, learned_prior=False, dtype="float64"))
    state, vae = model.state_dict(), member("vae", dtype="float64")
    for path in ("encoder.hidden.layers.0", "decoder.logits.layers.0"):
        weight, inputs = state[f"{path}.weight"], vae.state_dict()[f"{path}.weight"].shape[0]
        if len(weight) > inputs:
            state[f"{path}.bias"] = state[f"{path}.bias"] + weight[inputs + 1]
            state[f"{path}.weight"] = weight[:inputs]
    vae.load_state_dict(state)
    x, _ = batch_for(vae, rng)
    found, expected = model.bound(x, Repeated()(), constant(model)), vae.bound(x, Repeated()())
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-12)


def test_the_decoder_of_cmma_does_not_see_y(rng):
    z = rng.normal(size=(M, 3))
    for name, told in (("cvae", True), ("cmma", False)):
        model = shaken(member(name))
        one, other = (model.decode(z, np.tile(np.eye(CONDITIONS)[k], (M, 1))).numpy() for k in (0, 1))
        assert np.abs(one - other).max() > 0.01 if told else (one == other).all()


def test_the_prior_is_told_y(rng):
    model = shaken(member("cvae"))
    prior = model.prior(np.eye(CONDITIONS))
    assert prior.mean.shape == (CONDITIONS, 3)
    assert np.ptp(prior.mean.numpy(), axis=0).min() > 0.01
    assert member("cvae", learned_prior=False).prior(np.eye(CONDITIONS)).mean.shape == (3,)


# --------------------------------------------------------------- conditional bench P


def trained(name, x, y, variance, **options):
    """A model with linear networks, all of it trained on all data at once, and its bound's mean."""
    kind = {"likelihood": "gaussian", "variance": variance, "dtype": "float64"}
    model = MODELS[name](x.shape[1], 2, (), context_dim=CONDITIONS, **kind, **options)
    data, context, noise = tensor(x), tensor(np.eye(CONDITIONS)[y]), tensor(sigma_points(len(x), 2))
    parameters = model.parameters()
    optimizer = Adam(parameters, 0.03)

    def step():
        optimizer.apply(backward(-mean(model.bound(data, noise, context).value), parameters))

    compiled = compile(step)
    for i in range(1500):
        optimizer.advance(0.5 * (1 + np.cos(np.pi * i / 1500)))
        compiled()
    return float(mean(model.bound(data, noise, context).value))


def test_a_mean_that_y_moves_is_learnt_to_the_exact_density(rng):
    """x = W z + A y + sigma epsilon, with orthogonal columns: log p(x|y) is a Gaussian's, and reachable."""
    bench, y = LinearGaussian(rng, data=4, latent=2), rng.integers(0, CONDITIONS, 400)
    shift = 2 * rng.normal(size=(CONDITIONS, 4))
    x = bench.data(rng, 400) + shift[y]
    exact = bench.log_marginal(x - shift[y]).mean()
    found = trained("cvae", x, y, bench.sigma**2, learned_prior=False)
    # The model is fitted to these data, and so comes out above the truth: k free numbers by chi^2(k) / 2N.
    # W W^T of rank 2 has 7 and A and b together 12. Measured with 3 seeds: 0.0235, 0.0042, 0.0234.
    k, n = 19, 400
    assert found - exact == pytest.approx(k / (2 * n), abs=CRITICAL_Z * np.sqrt(2 * k) / (2 * n))


def test_a_latent_mean_that_y_moves_is_learnt_without_a_decoder_that_sees_it(rng):
    """z ~ N(B y, I), x = W z + sigma epsilon: x given y is N(W B y, W W^T + sigma^2 I)."""
    bench, y = LinearGaussian(rng, data=4, latent=2), rng.integers(0, CONDITIONS, 400)
    moved = 2 * rng.normal(size=(CONDITIONS, 2))
    x = bench.data(rng, 400) + moved[y] @ bench.weight.T
    covariance = bench.weight @ bench.weight.T + bench.sigma**2 * np.eye(4)
    exact = stats.multivariate_normal(cov=covariance).logpdf(x - moved[y] @ bench.weight.T).mean()
    found = trained("cmma", x, y, bench.sigma**2)
    # As above, with about as many free numbers. Measured with 3 seeds: 0.020, 0.019, and, not all learnt, -0.020.
    assert exact - 0.05 < found < exact + 0.05


def test_a_context_for_another_number_of_samples_is_refused():
    """The prior has a draw for each row, whatever number was asked for."""
    model = member("cvae")
    assert model.sample(backend.generator(0), CONDITIONS, np.eye(CONDITIONS)).shape == (CONDITIONS, 6)
    with pytest.raises(InputError, match="context has 3 rows; expected 5"):
        model.sample(backend.generator(0), 5, np.eye(CONDITIONS))
