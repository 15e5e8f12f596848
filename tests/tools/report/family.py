"""Rows of the family: its layers, its regularizers, and the gradients of every member."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from scipy.special import expit

from minivae import backend, regularizers
from minivae.autodiff import assign, jacobian, tensor
from minivae.autodiff import sum as total
from minivae.models.posterior.full_covariance_vae import FullGaussianMLP
from minivae.models.posterior.iaf_vae import FlowMLP
from minivae.nn import GRU, LSTM, MADE, Codebook, MaskedLinear
from minivae.nn.recurrent import Recurrent

from ...chance import CRITICAL_Z
from ...models.members import batch_for, losses, member, shaken
from ...regularizers import test_mmd
from . import aggregate
from .page import SEED, Row, Section, error, gradient_error, z_of_mean

# --------------------------------------------------------------------- members


def gradients(name: str) -> Row:
    """Of every phase's loss by what it trains."""
    model = shaken(member(name, dtype="float64"))
    batch = batch_for(model, np.random.default_rng(SEED))
    errors = [gradient_error(loss, parameters, allow_zero=True) for loss, parameters in losses(model, batch)]
    return Row(len(errors), (max(errors), None, None))


# ---------------------------------------------------------------------- layers


def shaken_layer(layer: object) -> None:
    """Weights that are not small."""
    rng = np.random.default_rng(SEED)
    layer.load_state_dict({name: 0.6 * rng.standard_normal(p.shape) for name, p in layer.named_tensors()})


def masked_linear() -> Row:
    """The affine map of a masked weight, written out."""
    rng = np.random.default_rng(SEED)
    mask, x = rng.integers(0, 2, (5, 4)), rng.normal(size=(3, 5))
    layer = MaskedLinear(mask, backend.generator(0), dtype="float64")
    expected = x @ (layer.weight.numpy() * mask) + layer.bias.numpy()
    return Row(1, (error(layer(x), expected), gradient_error(lambda x, *_: layer(x), [x, *layer.parameters()])))


def made() -> Row:
    """The elements of the Jacobian that the masks forbid, which must be 0."""
    rng, errors = np.random.default_rng(SEED), []
    cases = [((), 1), ((6,), 1), ((9, 7), 1), ((6,), 3)]  # hidden layers, and of how many numbers an element is
    for hidden, width in cases:
        x, forbidden = rng.normal(size=4 * width), np.repeat(np.triu(np.ones((4, 4))), width, axis=1)
        network = MADE(4, hidden, backend.generator(0), outputs=2, width=width, dtype="float64")
        shaken_layer(network)
        found = [jacobian(lambda x, k=k, n=network: n(x)[k])(tensor(x)).numpy() * forbidden for k in (0, 1)]
        f = lambda x, *_, n=network: n(x)[0] + n(x)[1] * 2.0  # noqa: E731
        errors.append((error(found, np.zeros((2, 4, 4 * width))), gradient_error(f, [x, *network.parameters()])))
    return Row(len(cases), tuple(map(max, zip(*errors, strict=True))))


def codebook() -> Row:
    """The start, at four of the first vectors; then a step of k-means: without memory, to the means of what is near."""
    book, rng = Codebook(4, 2, backend.generator(0), decay=0.0, dtype="float64"), np.random.default_rng(SEED)
    first, z = rng.normal(size=(2, 200, 2))
    _move(book, first)
    start = error(book.entries, first[::50] * (50 / (50 + 1e-5)) * (1 + 4e-5 / 200))  # (Laplace's smoothing)
    which = ((z[:, None] - book.entries.numpy()) ** 2).sum(-1).argmin(1)
    _move(book, z)
    smoothing = 1 + 4e-5 / 200  # Laplace's, of counts that add up to 200
    counts = np.bincount(which, minlength=4)
    means = [z[which == k].sum(0) / (counts[k] + 1e-5) * smoothing for k in range(4)]
    return Row(2, (max(start, error(book.entries, means)), None))


def _move(book: Codebook, z: np.ndarray) -> None:
    for target, value in book.moved(tensor(z), book.nearest(tensor(z))):
        assign(target, value)


def recurrent(kind: type[Recurrent]) -> Row:
    """Each step written out, gate by gate; all steps by the sequence, where it begins and every weight."""
    rng, layer = np.random.default_rng(SEED), kind(3, 2, backend.generator(0), dtype="float64")
    shaken_layer(layer)
    x, state = rng.normal(size=(2, 5, 3)), tuple(rng.normal(size=(kind.states, 2, 2)))
    weights = {name: value.T for name, value in layer.state_dict().items()}
    of_x, of_h = ((weights[f"weight_{name}_l0"], weights[f"bias_{name}_l0"]) for name in ("ih", "hh"))
    h, *c = state
    rows = []
    for i in range(5):
        a, b = (np.split(v @ w + bias, kind.gates, axis=-1) for v, (w, bias) in ((x[:, i], of_x), (h, of_h)))
        if kind is GRU:
            u = expit(a[1] + b[1])
            h = (1 - u) * np.tanh(a[2] + expit(a[0] + b[0]) * b[2]) + u * h
        else:
            c = [expit(a[1] + b[1]) * c[0] + expit(a[0] + b[0]) * np.tanh(a[2] + b[2])]
            h = expit(a[3] + b[3]) * np.tanh(c[0])
        rows.append(h)
    value = error(layer(x, state)[0], np.stack(rows, axis=1))
    f = lambda x, *given: layer(x, given[: kind.states])[0]  # noqa: E731
    return Row(1, (value, gradient_error(f, [x, *state, *layer.parameters()])))


def full_gaussian() -> Row:
    """L times its transpose, against the covariance written out; the sample by every weight."""
    layer = FullGaussianMLP(4, (3,), 2, backend.generator(0), dtype="float64")
    shaken_layer(layer)
    rng = np.random.default_rng(SEED)
    x, noise = rng.normal(size=(3, 4)), rng.normal(size=(3, 2))
    first, below, second = layer.factor(layer.hidden(x)).numpy().T
    rows = [[np.exp(first), 0 * first], [below, np.exp(second)]]
    value = error(layer(x).scale_tril, np.moveaxis(np.array(rows), -1, 0))
    return Row(1, (value, gradient_error(lambda x, *_: layer(x).sample(noise), [x, *layer.parameters()])))


def flow() -> Row:
    """log q against the logarithm of the Jacobian's determinant; z and log q by every weight."""
    options = {"steps": 2, "flow_hidden": (4,), "features": 2, "activation": "tanh", "dtype": "float64"}
    layer = FlowMLP(4, (3,), 3, backend.generator(0), **options)
    shaken_layer(layer)
    rng = np.random.default_rng(SEED)
    x, noise = rng.normal(size=(1, 4)), rng.normal(size=(1, 3))
    matrix = jacobian(layer(x).transform)(tensor(noise)).numpy().reshape(3, 3)
    expected = -0.5 * (noise**2 + np.log(2 * np.pi)).sum() - np.linalg.slogdet(matrix)[1]
    value = error(layer(x).sample_with_log_prob(noise)[1], [expected])

    def f(x, *_):
        z, log_q = layer(x).sample_with_log_prob(noise)
        return total(z, axis=-1) + log_q

    return Row(1, (value, gradient_error(f, [x, *layer.parameters()])))


LAYERS: dict[str, Callable[[], Row]] = {
    "MaskedLinear": masked_linear,
    "MADE": made,
    "Codebook": codebook,
    "GRU": partial(recurrent, GRU),
    "LSTM": partial(recurrent, LSTM),
    "FullGaussianMLP": full_gaussian,
    "FlowMLP": flow,
}

# ---------------------------------------------------------------- regularizers


def discrepancy(kernel: str) -> Row:
    """The U-statistic against loops over pairs; on average, 0 between equal distributions, z."""
    rng, k = np.random.default_rng(SEED), regularizers.KERNELS[kernel]
    x, y = rng.normal(size=(5, 3)), rng.normal(size=(4, 3)) + 0.5
    value = error(float(regularizers.mmd(x, y, k)), test_mmd.by_loops(x, y, test_mmd.FORMULAS[kernel]))
    draws = np.array([[float(regularizers.mmd(*rng.normal(size=(2, 5, 2)), k))] for _ in range(500)])
    gradient = gradient_error(lambda x, y: regularizers.mmd(x, y, k), [x, y])
    return Row(500, (value, z_of_mean(draws, 0.0), gradient))


def critic_loss() -> Row:
    """Against the two cross entropies written out."""
    joint, product = np.random.default_rng(SEED).normal(size=(2, 6, 2))
    share = lambda x, k: np.log(np.exp(x[:, k]) / np.exp(x).sum(1)).mean()  # noqa: E731
    expected = -0.5 * (share(joint, 0) + share(product, 1))
    value = error(float(regularizers.critic_loss(tensor(joint), tensor(product))), expected)
    return Row(1, (value, None, gradient_error(regularizers.critic_loss, [joint, product])))


def fooling_loss() -> Row:
    """Minus the log of the first share, written out."""
    logits = np.random.default_rng(SEED).normal(size=(6, 2))
    expected = -np.log(np.exp(logits[:, 0]) / np.exp(logits).sum(1)).mean()
    value = error(float(regularizers.fooling_loss(tensor(logits))), expected)
    return Row(1, (value, None, gradient_error(regularizers.fooling_loss, [logits])))


def density_ratio() -> Row:
    """The difference of the logits."""
    logits = np.random.default_rng(SEED).normal(size=(6, 2))
    value = error(regularizers.density_ratio(tensor(logits)), logits[:, 0] - logits[:, 1])
    return Row(1, (value, None, gradient_error(regularizers.density_ratio, [logits])))


def permute_columns() -> Row:
    """Every order of three rows is as likely in each column: the mean place of each row, z."""
    source, z = backend.generator(SEED), tensor(np.tile(np.arange(3.0)[:, None], 2))
    draws = np.array([regularizers.permute_columns(z, source).numpy() for _ in range(2000)])
    return Row(
        2000, (error(np.sort(draws, axis=1), np.broadcast_to(z.numpy(), draws.shape)), z_of_mean(draws, 1), None)
    )


REGULARIZERS = Section(
    "Regularizers",
    "The maximum mean discrepancy of each kernel against loops over pairs of draws, and on average between equal "
    "distributions, z; the losses of a critic and of whom it catches and its log ratio, written out; permuted columns: "
    "their elements, and the place of each row on average, z; what a minibatch says of q(z), from SciPy's densities "
    "and weights written out; covariances beside NumPy's; distances on lines by sorting, and the moments of random "
    "lines, z.",
    {"value": 1e-12, "mean of draws (z)": CRITICAL_Z, "differences": 1e-6},
    lambda: {*regularizers.KERNELS, *(n for n in regularizers.__all__ if n.islower() and n != "mmd")},
    {name: partial(discrepancy, name) for name in regularizers.KERNELS}
    | {"critic_loss": critic_loss, "fooling_loss": fooling_loss, "density_ratio": density_ratio}
    | {"permute_columns": permute_columns}
    | aggregate.MEASURES,
)
SECTIONS = [REGULARIZERS]
