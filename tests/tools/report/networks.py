"""Rows of the networks that variants have: each against its layers written out in NumPy."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy import special, stats

from minivae import backend
from minivae.autodiff import Tensor, concatenate, jacobian, tensor
from minivae.autodiff import sum as total
from minivae.models.adversarial.critic import Critic
from minivae.models.hierarchy.networks import BottomUpMLP, Heads, TopDownMLP
from minivae.models.likelihood.log_cosh_vae import UnitLogCoshMLP
from minivae.models.posterior.auxiliary_vae import AuxiliaryMLP
from minivae.models.posterior.coupling_vae import Conditioner, CouplingMLP
from minivae.models.posterior.flow_vae import FeaturesMLP
from minivae.models.posterior.hyperspherical_vae import DirectionMLP
from minivae.models.posterior.joint_encoder import JointEncoder
from minivae.models.prior.flow_prior_vae import CouplingPrior
from minivae.models.sequence.d_block import DBlock
from minivae.nn import BatchNorm, Module, SpectralNorms, training_mode

from .page import SEED, Row, error, gradient_error

X = np.random.default_rng(SEED).normal(size=(3, 4))
NOISE = np.random.default_rng(SEED + 1).uniform(0.1, 0.9, (3, 9))
OPTIONS = {"activation": "tanh", "dtype": "float64"}


def shaken(layer: Module) -> Module:
    """The same with weights that are not small."""
    rng = np.random.default_rng(SEED)
    layer.load_state_dict({name: 0.6 * rng.standard_normal(p.shape) for name, p in layer.named_tensors()})
    return layer


def written_out(layer: Module, x: np.ndarray, *names: str, hidden: str = "hidden.layers.0") -> list[np.ndarray]:
    """The heads of these names after a hidden layer of tanh, from the weights alone."""
    state = layer.state_dict()
    affine = lambda h, name: h @ state[f"{name}.weight"] + state[f"{name}.bias"]  # noqa: E731
    h = np.tanh(affine(x, hidden))
    return [affine(h, name) for name in names]


def row(layer: Module, found: Sequence, expected: Sequence, f: Callable[[Tensor], Tensor], x: np.ndarray = X) -> Row:
    """The largest error of what was found; and of the derivatives of f by its input and every weight."""
    value = max(error(a, b) for a, b in zip(found, expected, strict=True))
    return Row(1, (value, gradient_error(lambda x, *_: f(x), [x, *layer.parameters()], allow_zero=True)))


def features() -> Row:
    layer = shaken(FeaturesMLP(4, (3,), 2, backend.generator(0), features=5, **OPTIONS))
    gaussian, h = layer(X)
    found = (gaussian.mean, gaussian.log_var, h)

    def joined(x: Tensor) -> Tensor:
        gaussian, h = layer(x)
        return concatenate([gaussian.mean, gaussian.log_var, h], axis=-1)

    return row(layer, found, written_out(layer, X, "mean", "log_var", "features"), joined)


def conditioner() -> Row:
    layer, h = shaken(Conditioner(5, 2, (3,), backend.generator(0), **OPTIONS)), tensor(X[:, 2:])
    joined = lambda x: concatenate(list(layer(x[:, :2], h)), axis=-1)  # noqa: E731
    return row(layer, layer(tensor(X[:, :2]), h), written_out(layer, X, "shift", "log_scale"), joined)


def coupling() -> Row:
    """log q against the logarithm of the Jacobian's determinant, of one data point."""
    options = {"steps": 2, "flow_hidden": (3,), "features": 2, **OPTIONS}
    layer, noise = shaken(CouplingMLP(4, (3,), 3, backend.generator(0), **options)), X[:1, :3]
    matrix = jacobian(layer(X[:1]).transform)(tensor(noise)).numpy().reshape(3, 3)
    expected = stats.norm.logpdf(noise).sum(-1) - np.linalg.slogdet(matrix)[1]

    def drawn(x: Tensor) -> Tensor:
        z, log_q = layer(x).sample_with_log_prob(noise)
        return total(z, axis=-1) + log_q

    return row(layer, [layer(X[:1]).sample_with_log_prob(noise)[1]], [expected], drawn, X[:1])


def auxiliary() -> Row:
    """z, and what stands for its density, from three Gaussians written out."""
    layer, noise = shaken(AuxiliaryMLP(4, (3,), 2, backend.generator(0), auxiliary=2, **OPTIONS)), X

    def gaussian(name: str, *inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        heads = (f"{name}.{head}" for head in ("mean", "log_var"))
        mean, log_var = written_out(layer, np.concatenate(inputs, -1), *heads, hidden=f"{name}.hidden.layers.0")
        return mean, np.exp(log_var / 2)

    first = gaussian("first", X)
    a = first[0] + first[1] * noise[:, :2]
    second = gaussian("second", a, X)
    z = second[0] + second[1] * noise[:, 2:]
    pairs = ((a, first, 1), (z, second, 1), (a, gaussian("back", z, X), -1))
    log_q = sum(sign * stats.norm.logpdf(at, *of).sum(-1) for at, of, sign in pairs)

    def drawn(x: Tensor) -> Tensor:
        z, log_q = layer(x).sample_with_log_prob(noise)
        return total(z, axis=-1) + log_q

    return row(layer, layer(tensor(X)).sample_with_log_prob(noise), (z, log_q), drawn)


def joint() -> Row:
    """The Gaussian's part, and the probabilities of both discrete variables."""
    layer = shaken(JointEncoder(4, (3,), 2, (3, 4), backend.generator(0), **OPTIONS))
    mean, log_var, logits = written_out(layer, X, "mean", "log_var", "logits")
    expected = np.concatenate([mean, *(special.softmax(part, -1) for part in (logits[:, :3], logits[:, 3:]))], -1)
    found = layer(X)
    relaxed = lambda x: layer(x).relax(NOISE, 0.7)  # noqa: E731
    return row(layer, (found.mean, found.parts[0].log_var), (expected, log_var), relaxed)


def batch_norm() -> Row:
    """In training and outside of it, and the running means that training leaves."""
    layer = BatchNorm(4, dtype="float64")
    rng = np.random.default_rng(SEED)
    layer.load_state_dict({name: rng.uniform(0.5, 2.0, 4) for name in layer.state_dict()})
    weight, bias, mean, variance = layer.state_dict().values()

    def both(x: Tensor) -> Tensor:
        with training_mode():
            y = layer(x)
        return concatenate([y, layer(x)], axis=-1)

    with training_mode() as moved:
        inside = layer(X)
    expected = [weight * (X - m) / np.sqrt(v + 1e-5) + bias for m, v in ((X.mean(0), X.var(0)), (mean, variance))]
    expected += [0.9 * mean + 0.1 * X.mean(0), 0.9 * variance + 0.1 * X.var(0, ddof=1)]
    return row(layer, [inside, layer(X), *(value for _, value in moved)], expected, both)


def d_block() -> Row:
    """Of an input in two parts."""
    layer = shaken(DBlock(4, 3, 2, backend.generator(0), dtype="float64"))
    state = layer.state_dict()
    affine = lambda h, name: h @ state[f"{name}.weight"] + state[f"{name}.bias"]  # noqa: E731
    h = np.tanh(affine(X, "value")) * special.expit(affine(X, "gate"))
    q = layer(tensor(X[:, :1]), tensor(X[:, 1:]))

    def joined(x: Tensor) -> Tensor:
        q = layer(x[:, :1], x[:, 1:])
        return concatenate([q.mean, q.log_var], axis=-1)

    return row(layer, (q.mean, q.log_var), (affine(h, "mean"), affine(h, "log_var")), joined)


def direction() -> Row:
    """log q at given directions, by SciPy; and the concentration, softplus + 1."""
    layer = shaken(DirectionMLP(4, (3,), 2, backend.generator(0), **OPTIONS))
    mean, raw = written_out(layer, X, "mean", "concentration")
    kappa, angle = np.log1p(np.exp(raw[:, 0])) + 1, np.arctan2(mean[:, 1], mean[:, 0])
    z = np.stack([np.cos(X[:, 0]), np.sin(X[:, 0])], -1)
    density = lambda x: layer(x).log_prob(z)  # noqa: E731
    found = layer(tensor(X)).concentration, density(tensor(X))
    return row(layer, found, (kappa, stats.vonmises(kappa, angle).logpdf(X[:, 0])), density)


def coupling_prior() -> Row:
    """log p against the logarithm of the Jacobian's determinant of its samples, at one point."""
    layer, noise = shaken(CouplingPrior(3, 2, (3,), backend.generator(0), **OPTIONS)), X[0, :3]
    prior = layer(tensor(X))
    z = prior.sample(noise).numpy()
    matrix = jacobian(prior.transform)(tensor(noise)).numpy()
    expected = stats.norm.logpdf(noise).sum() - np.linalg.slogdet(matrix)[1]
    return row(layer, [prior.log_prob(z)], [expected], lambda z: layer(tensor(X)).log_prob(z), z)


def critic() -> Row:
    """Its two logits, after leaky ReLUs of slope 0.2."""
    layer = shaken(Critic(4, (3,), backend.generator(0), lr=0.1, dtype="float64"))
    state = layer.state_dict()
    h = X @ state["layers.0.weight"] + state["layers.0.bias"]
    expected = np.where(h > 0, h, 0.2 * h) @ state["layers.1.weight"] + state["layers.1.bias"]
    return row(layer, [layer(tensor(X)), layer.ratio(X)], [expected, expected[:, 0] - expected[:, 1]], layer)


def unit_log_cosh() -> Row:
    """-(1/a) log cosh(a (x - mu)) and the logarithm of its integral, B(1/2, 1/2a) / a."""
    a, data = 3.0, np.random.default_rng(SEED).normal(size=(3, 2))
    layer = shaken(UnitLogCoshMLP(4, (3,), 2, backend.generator(0), sharpness=a, **OPTIONS))
    t = a * (data - written_out(layer, X, "loc")[0])
    expected = -(np.log(np.cosh(t)) / a + special.betaln(0.5, 0.5 / a) - np.log(a)).sum(-1)
    density = lambda x: layer(x).log_prob(data)  # noqa: E731
    return row(layer, [density(tensor(X))], [expected], density)


def heads() -> Row:
    layer = shaken(Heads(4, 2, backend.generator(0), dtype="float64"))
    state = layer.state_dict()
    expected = [X @ state[f"{name}.weight"] + state[f"{name}.bias"] for name in ("mean", "log_var")]
    return row(layer, layer(tensor(X)), expected, lambda x: concatenate(list(layer(x)), axis=-1))


def top_down() -> Row:
    """Of three levels what is below them all, and the lowest's Gaussian."""
    layer = shaken(TopDownMLP((1, 2, 1), 3, backend.generator(0), **OPTIONS))
    state = layer.state_dict()
    affine = lambda h, name: h @ state[f"{name}.weight"] + state[f"{name}.bias"]  # noqa: E731
    first = np.tanh(affine(X[:, :1], "down.0.layers.0"))
    second = first + np.tanh(affine(np.concatenate([first, X[:, 1:3]], -1), "down.1.layers.0"))
    lowest = layer.conditional(2, tensor(second))
    found = (layer(X), lowest.mean, lowest.log_var)
    expected = (np.concatenate([second, X[:, 3:]], -1), affine(second, "heads.1.mean"))
    log_var = 10 * np.tanh(affine(second, "heads.1.log_var") / 10)

    def joined(z: Tensor) -> Tensor:
        below = layer(z)
        parts = [layer.conditional(level, below[..., :3]) for level in (1, 2)]
        return concatenate([below, *(part for p in parts for part in (p.mean, p.log_var))], axis=-1)

    return row(layer, found, (*expected, log_var), joined)


def bottom_up() -> Row:
    """Features of two levels, and what each has otherwise."""
    layer = shaken(BottomUpMLP(4, (3,), (2, 1), 2, backend.generator(0), **OPTIONS))
    state = layer.state_dict()
    affine = lambda h, name: h @ state[f"{name}.weight"] + state[f"{name}.bias"]  # noqa: E731
    low = np.tanh(affine(X, "hidden.layers.0"))
    high = low + np.tanh(affine(low, "up.0.layers.0"))
    above = X[:, :2]
    expected = [affine(high, name) for name in ("mean", "log_var")]
    expected += [affine(np.concatenate([above, low], -1), f"heads.0.{name}") for name in ("mean", "log_var")]

    def offsets(x: Tensor) -> list[Tensor]:
        features = layer(x)
        return [*layer.offsets(features, 0, None), *layer.offsets(features, 1, tensor(above))]

    return row(layer, offsets(tensor(X)), expected, lambda x: concatenate(offsets(x), axis=-1))


def spectral_norms() -> Row:
    """The largest singular value by NumPy, after 200 iterations; its derivative there."""
    layer = SpectralNorms([X.shape], backend.generator(0), dtype="float64")
    for _ in range(200):
        ((u, new),) = layer([X])[1]
        u.data[...] = new.numpy()
    value = error(layer([X])[0][0], np.linalg.svd(X)[1][0])
    v, u = (np.linalg.svd(X)[0][:, 0], np.linalg.svd(X)[2][0])
    gradient = jacobian(lambda x: layer([x])[0][0])(tensor(X))
    return Row(1, (value, error(gradient, np.outer(v, u))))


LAYERS: dict[str, Callable[[], Row]] = {
    "FeaturesMLP": features,
    "Conditioner": conditioner,
    "CouplingMLP": coupling,
    "AuxiliaryMLP": auxiliary,
    "JointEncoder": joint,
    "DBlock": d_block,
    "DirectionMLP": direction,
    "CouplingPrior": coupling_prior,
    "Critic": critic,
    "BatchNorm": batch_norm,
    "UnitLogCoshMLP": unit_log_cosh,
    "Heads": heads,
    "TopDownMLP": top_down,
    "BottomUpMLP": bottom_up,
    "SpectralNorms": spectral_norms,
}
