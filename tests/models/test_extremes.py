"""Every model at logits of 10,000 and log-variances of 30: in float32 what float64 gives, values and gradients."""

import numpy as np
import pytest

from minivae import backend
from minivae.autodiff import backward
from minivae.models import MODELS, Batch
from minivae.models.registry import options

from .members import batch_for, member

# Layers whose biases are set, by the end of their names: what they give is then that, and a little more.
LAYERS = {
    "log-variances of z": ("encoder.log_var", (30.0, -30.0)),
    "means of z": ("encoder.mean", (1e4, -1e4)),
    "log-variances of x": ("decoder.log_var", (30.0, -30.0)),
    "concentrations of z": ("encoder.concentration", (1e4, -1e4)),
    "logits of x": ("decoder.logits.layers.1", (1e4, -1e4)),
    "logits of x, unconditional": ("network.layers.1", (1e4, -1e4)),
    "logits of z": ("encoder.layers.1", (1e4, -1e4)),
}


CANCELLING = ("vamp-vae",)
# Whose gradient by a bias is a sum of numbers of any size that is 0: what is left is beside those. (A covariance does
# not change with the mean.)
SUM_TO_0 = ("dip-vae-2",)


class SameNoise(backend.Generator):
    """Draws float32 numbers, whatever they are to be stored as."""

    def standard_normal(self, shape, dtype=None, out=None):
        return super().standard_normal(shape, "float32").astype(dtype or "float32")

    def uniform(self, shape, dtype=None, out=None):
        return super().uniform(shape, "float32").astype(dtype or "float32")


def made(name, likelihood, dtype):
    own = {"likelihood": likelihood} if likelihood else {}
    return member(name.removesuffix(", A"), dtype=dtype, **own, **({"estimator": "A"} if name.endswith(", A") else {}))


MEMBERS = [
    (name, likelihood)
    for name in MODELS
    for likelihood in (("bernoulli", "gaussian") if "likelihood" in options(MODELS[name]) else (None,))
] + [("vae, A", "bernoulli"), ("vae, A", "gaussian"), ("cvae, A", "bernoulli")]
CASES = [
    pytest.param(*model, f"{layer}.bias", value, id=f"{model[0]}-{model[1]}-{what}-{value:g}")
    for model in MEMBERS
    for what, (layer, values) in LAYERS.items()
    if f"{layer}.bias" in dict(made(*model, "float32").named_parameters())
    for value in values
]


def losses_and_gradients(model, batch):
    dtype = model.parameters()[0].dtype
    batch = Batch(*(x if x is None else x.data.astype(dtype) for x in batch))
    phases = model.phases(batch, SameNoise(0))
    gradients = [backward(o.loss, o.parameters, retain_graph=True) for o in phases]
    terms = [part.numpy() for o in phases for part in (o.loss, *o.terms.values())]
    return terms, [g.numpy() for phase in gradients for g in phase]


@pytest.mark.parametrize(("name", "likelihood", "bias", "value"), CASES)
def test_float32_gives_what_float64_does(name, likelihood, bias, value, rng):
    narrow, wide = (made(name, likelihood, dtype) for dtype in ("float32", "float64"))
    dict(narrow.named_parameters())[bias].data[...] = value
    wide.load_state_dict(narrow.state_dict())
    batch = batch_for(narrow, rng)
    (terms, gradients), (expected_terms, expected) = (losses_and_gradients(model, batch) for model in (narrow, wide))
    # Beside 10,000 a float32 number is rounded by up to 5e-4, and what it is computed to with it.
    rounding = 5e-4 if abs(value) == 1e4 else 1e-6
    # Where all densities of z are the encoder's, gradients are what is left of numbers as large as z or 1 / sigma^2.
    left = rounding * np.exp(abs(value)) if name in CANCELLING and abs(value) == 30 else 0.0
    for found, right in zip(terms, expected_terms, strict=True):
        np.testing.assert_allclose(found, right, rtol=rounding, atol=(2 + 30 * (left > 0)) * rounding)
    # 1 - tanh^2 of what has no digits left is known to a rounding of 1; a flow's steps multiply it by what they move.
    saturated = 2**-24 * abs(value) if bias == "encoder.mean.bias" else 0.0
    largest = max(np.abs(right).max() for right in expected)
    cancelled = 2**-22 * largest  # in sums over data points, to less
    for found, right in zip(gradients, expected, strict=True):
        assert found.dtype == np.float32
        size = largest if name in SUM_TO_0 else np.abs(right).max() + 1e-3
        slack = 10 * rounding * size + saturated + cancelled + left
        np.testing.assert_allclose(found, right, rtol=10 * rounding, atol=slack)
