"""Wake-sleep beside a twin in PyTorch: the same weights, minibatches and noise, 100 steps of Adam."""

import numpy as np
import pytest

from minivae.autodiff import backward, tensor
from minivae.models import Batch, WakeSleep
from minivae.optim import Adam

from ...doubles.oracle import one_thread, torch  # noqa: F401 (a fixture)
from ..test_torch_twin import HIDDEN, KINDS, LATENT_DIM, LR, SEED, M, affine, minibatches

STEPS, DATA_DIM = 100, 64
TOLERANCE = 1e-9  # of a loss, relative to it, and of the parameters, to the largest of each array; measured: 5e-10


def steps(kind):
    """Digits and noise of each step: dreamt bits need uniform noise, dreamt grey values normal."""
    rng = np.random.default_rng(SEED)
    draw = rng.uniform if kind == "bernoulli" else rng.normal
    for _, (x, epsilon) in zip(range(STEPS), minibatches("float64"), strict=False):
        yield x, {"z": epsilon, "dream_z": rng.normal(size=(M, LATENT_DIM)), "dream_x": draw(size=(M, DATA_DIM))}


def encode(weights, x):
    h = torch.tanh(affine(weights, "encoder.hidden.layers.0", x))
    log_var = affine(weights, "encoder.log_var", h)
    return torch.distributions.Normal(affine(weights, "encoder.mean", h), (log_var / 2).exp())


def dream(weights, kind, z, noise):
    """x ~ p(x|z)."""
    if kind == "bernoulli":
        h = torch.tanh(affine(weights, "decoder.logits.layers.0", z))
        return (noise < torch.sigmoid(affine(weights, "decoder.logits.layers.1", h))).to(z.dtype)
    h = torch.tanh(affine(weights, "decoder.hidden.layers.0", z))
    floor = -np.log(12 * 256**2)
    log_var = torch.nn.functional.softplus(affine(weights, "decoder.log_var", h) - floor) + floor
    return torch.sigmoid(affine(weights, "decoder.mean", h)) + (log_var / 2).exp() * noise


def twin_losses(weights, kind, x, noise):
    """The losses of the two phases."""
    prior = torch.distributions.Normal(0.0, 1.0)
    with torch.no_grad():
        q = encode(weights, x)
        z = q.loc + q.scale * noise["z"]
        dream_x = dream(weights, kind, noise["dream_z"], noise["dream_x"])
    decode = KINDS[kind][1]
    wake = -(decode(weights, z, x) + prior.log_prob(z).sum(-1) - q.log_prob(z).sum(-1)).mean()
    return wake, -encode(weights, dream_x).log_prob(noise["dream_z"]).sum(-1).mean()


def train_twin(start, kind):
    """The losses at each step, and the parameters after the last one, by PyTorch."""
    weights = {name: torch.nn.Parameter(torch.tensor(value)) for name, value in start.items()}
    optimizer = torch.optim.Adam(weights.values(), LR)
    losses = []
    for x, noise in steps(kind):
        optimizer.zero_grad()
        both = twin_losses(weights, kind, torch.tensor(x), {name: torch.tensor(value) for name, value in noise.items()})
        (both[0] + both[1]).backward()  # no weight is in both
        optimizer.step()
        losses.append([loss.item() for loss in both])
    return losses, {name: value.detach().numpy() for name, value in weights.items()}


def train(model, kind):
    """The same by minivae."""
    optimizers = [Adam(part.parameters(), LR) for part in (model.decoder, model.encoder)]
    losses = []
    for x, noise in steps(kind):
        phases = model.phases(Batch(tensor(x)), noise)
        gradients = [backward(o.loss, o.parameters) for o in phases]
        for optimizer, gradient in zip(optimizers, gradients, strict=True):
            optimizer.step(gradient)
        losses.append([o.loss.item() for o in phases])
    return losses, model.state_dict()


def make(kind):
    """The model that both start from."""
    return WakeSleep(DATA_DIM, LATENT_DIM, (HIDDEN,), **KINDS[kind][0], seed=SEED, dtype="float64")


@pytest.mark.parametrize("kind", KINDS)
def test_100_steps_of_adam_equal_those_of_a_pytorch_twin(kind):
    model = make(kind)
    expected_losses, expected = train_twin(model.state_dict(), kind)
    losses, found = train(model, kind)
    np.testing.assert_allclose(losses, expected_losses, rtol=TOLERANCE)
    assert losses[-1][0] < losses[0][0] - 5  # they did learn
    for name, value in expected.items():
        error = np.abs(found[name] - value).max() / np.abs(value).max()
        assert error <= TOLERANCE, f"{name}: relative error {error:.2g}"
