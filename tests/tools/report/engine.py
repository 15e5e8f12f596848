"""Rows of the engine and the networks: operations, layers, activations, initializers."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from functools import partial
from itertools import product

import numpy as np

import minivae
from minivae import autodiff as ad
from minivae import backend, nn
from minivae.models import Model
from minivae.nn import ACTIVATIONS, INITIALIZERS
from minivae.nn.mlp import HiddenLayers

from ...autodiff.case import Case
from ...autodiff.cases import CASES, COMPOSITES
from ...autodiff.programs import LONGEST, random_program
from ...autodiff.test_primitives import (
    NOT_ANALYTIC,
    NOT_DIFFERENTIABLE,
    NOT_OPERATIONS,
    REAL_ONLY,
    beside_pytorch,
    check,
)
from ...chance import CRITICAL_Z
from ...models.kinds import data, small_vae
from ...nn import test_init, test_mlp
from . import family, images, likelihoods, networks
from .page import SEED, Row, Section, error, gradient_error, z_of_cdf

# ------------------------------------------------------------------ operations


def operation(name: str, cases: list[Case]) -> Row:
    """All cases of one operation: two orders by differences and by the complex step, and PyTorch."""
    differences = max(check(name, case, order=2).largest_error for case in cases)
    complex_step = None
    if name not in NOT_ANALYTIC | REAL_ONLY:
        complex_step = max(check(name, case, order=2, complex_step=True).largest_error for case in cases)
    orders = zip(*map(beside_pytorch, cases), strict=True)  # of each case: values, gradients, second derivatives
    torch = (max(error(*pair) for pairs in order for pair in pairs) if any(order) else None for order in orders)
    return Row(len(cases), (differences, complex_step, *torch))


OPERATIONS = {
    "differences": 1e-6,
    "complex step": 1e-12,
    "PyTorch, value": 2e-9,
    "PyTorch, gradient": 1e-8,
    "PyTorch, second": 1e-8,
}
PRIMITIVES = Section(
    "Primitives",
    "Every row of `PRIMITIVES`: first and second derivatives against central differences and against the "
    "complex step (where the function is analytic and SciPy has it for complex numbers), element by element; "
    "value, gradient and second derivatives against PyTorch (these where the gradient is not constant). Cases: "
    "shapes with 0 dimensions, with axes of length 0 and 1, broadcast against each other, one input used twice.",
    OPERATIONS,
    lambda: set(ad.PRIMITIVES),
    {name: partial(operation, name, cases) for name, cases in CASES.items()}
    | {name: f"no gradient: {why}" for name, why in NOT_DIFFERENTIABLE.items()},
)
FUNCTIONS = Section(
    "Functions made of primitives",
    "The same, for the engine's public functions that are no primitives.",
    OPERATIONS,
    lambda: set(ad.__all__) - NOT_OPERATIONS - set(ad.PRIMITIVES),
    {name: partial(operation, name, cases) for name, cases in COMPOSITES.items()},
)


def programs() -> Row:
    """Programs of random operations, with broadcasting, reductions and results used again."""
    from ...autodiff import test_fuzz_torch as fuzz

    errors = [fuzz.largest_error(random_program(seed)) for seed in range(fuzz.PROGRAMS)]
    return Row(len(errors), (max(errors),))


PROGRAMS = Section(
    "Random programs",
    f"Programs of up to {LONGEST} random operations with broadcasting, reductions and results used several times: "
    "value, gradients and second derivatives against PyTorch, relative to the largest element.",
    {"PyTorch": 1e-12},
    lambda: {"programs"},
    {"programs": programs},
)

# -------------------------------------------------------------------- networks


def by_hand(mlp: nn.MLP, x: np.ndarray, activation: Callable, activate_last: bool) -> np.ndarray:
    """What the perceptron should give, in extended precision."""
    h = np.asarray(x, np.longdouble)
    for i, layer in enumerate(mlp.layers):
        h = h @ layer.weight.numpy() + layer.bias.numpy()
        h = activation(h) if i < len(mlp.layers) - 1 or activate_last else h
    return h


def perceptrons(*activations: str) -> Row:
    """Perceptrons of every depth with these activations."""
    rng = np.random.default_rng(SEED)
    values, gradients = [], []
    cases = list(product(activations, (False, True), [sizes for sizes in test_mlp.DEPTHS if len(sizes) > 1]))
    for activation, last, sizes in cases:
        mlp = test_mlp.make(sizes, activation=activation, activate_last=last)
        mlp.load_state_dict({name: rng.standard_normal(p.shape) for name, p in mlp.named_parameters()})
        x = rng.standard_normal((5, sizes[0]))
        values.append(error(mlp(x), by_hand(mlp, x, test_mlp.BY_HAND[activation], last)))
        # A unit of relu may be dead for all five rows.
        inputs = [x, *mlp.parameters()]
        gradients.append(gradient_error(lambda x, *_, mlp=mlp: mlp(x), inputs, allow_zero=True))
    return Row(len(cases), (max(values), max(gradients)))


def linear() -> Row:
    """The affine layer with rows of data of several shapes."""
    rng, values, gradients = np.random.default_rng(SEED), [], []
    leads = [(), (4,), (3, 4), (1, 4)]
    for lead in leads:
        mlp = test_mlp.make((3, 2), init="paper")
        x = rng.standard_normal((*lead, 3))
        values.append(error(mlp.layers[0](x), by_hand(mlp, x, None, False)))
        gradients.append(gradient_error(lambda x, *_, mlp=mlp: mlp.layers[0](x), [x, *mlp.parameters()]))
    return Row(len(leads), (max(values), max(gradients)))


def hidden_layers() -> Row:
    """Two heads on two hidden layers, and on none."""
    rng, values, gradients = np.random.default_rng(SEED), [], []
    cases = [(5, 4), ()]
    for hidden in cases:
        layers = HiddenLayers(3, hidden, {"a": 2, "b": 1}, backend.generator(SEED), dtype="float64")
        layers.load_state_dict({name: rng.standard_normal(p.shape) for name, p in layers.named_parameters()})
        x = rng.standard_normal((4, 3))
        h = by_hand(layers.hidden, x, np.tanh, True)
        for head in (layers.a, layers.b):
            values.append(error(head(layers.hidden(x)), h @ head.weight.numpy() + head.bias.numpy()))
        f = lambda x, *_, of=layers: of.a(of.hidden(x)) * of.b(of.hidden(x))  # noqa: E731
        gradients.append(gradient_error(f, [x, *layers.parameters()]))
    return Row(len(cases), (max(values), max(gradients)))


def decoder(kind: str) -> Row:
    """log p(x|z) of a decoder beside one written in PyTorch."""
    import torch

    from ...models import test_torch_twin as twin

    rng = np.random.default_rng(SEED)
    model = small_vae(kind, hidden=(5,), dtype="float64")
    z, x = rng.standard_normal((3, model.latent_dim)), data(rng)
    weights = {name: torch.tensor(value) for name, value in model.state_dict().items()}
    expected = twin.KINDS[kind][1](weights, torch.tensor(z), torch.tensor(x))
    inputs = [z, *model.decoder.parameters()]
    gradient = gradient_error(lambda z, *_: model.likelihood(z).log_prob(x), inputs)
    return Row(1, (error(model.likelihood(z).log_prob(x), expected), gradient))


def layers() -> set[str]:
    """Every module of ``minivae.nn`` and ``minivae.models`` that is no model, in whatever file.

    Without the rules of learning, which are in the table of inference.
    """
    floors = ("minivae.nn.", "minivae.models.")
    for module in pkgutil.walk_packages(minivae.__path__, "minivae."):
        if module.name.startswith(floors):
            importlib.import_module(module.name)
    pending, found = [nn.Module], set()
    while pending:
        for kind in pending.pop().__subclasses__():
            if kind.__module__.startswith("minivae.") and not issubclass(kind, Model):
                pending.append(kind)
                if kind.__module__.startswith(floors) and not kind.__module__.startswith("minivae.models.learning."):
                    found.add(kind.__name__)
    return found - {"Likelihood", "Recurrent", "Convolution"}  # bases of others


NETWORK = {"value": 1e-12, "differences": 1e-6}
LAYERS = Section(
    "Layers",
    "Values against the product written out in extended precision, or, for decoders, log p(x|z) against PyTorch's "
    "distributions or SciPy's; of masks, the derivatives that they forbid; of a codebook, a step of k-means; of a "
    "flow, log q by the whole Jacobian; of other networks, their layers written out; two orders of derivatives "
    "by the input and by every weight against central differences.",
    NETWORK,
    layers,
    {
        "Linear": linear,
        "MLP": partial(perceptrons, *test_mlp.BY_HAND),
        "HiddenLayers": hidden_layers,
        "BernoulliMLP": partial(decoder, "bernoulli"),
        "GaussianMLP": partial(decoder, "gaussian"),
        **family.LAYERS,
        **networks.LAYERS,
        **images.LAYERS,
        **likelihoods.LAYERS,
    },
)
ACTIVATION = Section(
    "Activations",
    "In perceptrons of one to four layers, as above.",
    NETWORK,
    lambda: set(ACTIVATIONS),
    {name: partial(perceptrons, name) for name in test_mlp.BY_HAND},
)


def initializer(name: str) -> Row:
    """60,000 weights against the distribution that they are said to have."""
    weight, _ = test_init.draw(name, SEED)
    return Row(weight.size, (z_of_cdf([weight.ravel()], test_init.WEIGHTS[name].cdf),))


INITIALIZER = Section(
    "Initializers",
    "The weights drawn, against the distribution that the source gives, by a Kolmogorov-Smirnov test; z.",
    {"distribution (z)": CRITICAL_Z},
    lambda: set(INITIALIZERS),
    {name: partial(initializer, name) for name in test_init.WEIGHTS},
)
SECTIONS = [PRIMITIVES, FUNCTIONS, PROGRAMS, LAYERS, ACTIVATION, INITIALIZER]
