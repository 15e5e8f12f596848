"""Rows of the optimizers, schedules and models, which PyTorch computes beside ours."""

from __future__ import annotations

from functools import partial
from itertools import product

import numpy as np

from minivae.autodiff import tensor
from minivae.models import MODELS, VAE, Batch
from minivae.optim import OPTIMIZERS
from minivae.training import SCHEDULES

from ...models import members
from ...models.kinds import KINDS, data, noise, small_vae
from ...optim.problem import Problem
from .family import gradients
from .page import SEED, Row, Section, error, gradient_error


def optimizer(name: str) -> Row:
    """Parameters after 500 steps with every set of options, with and without clipping."""
    from ...optim import test_torch as oracle

    twins = [row[1:] for row in oracle.TWINS if row[0] == name]
    errors = {"float64": [], "float32": []}
    for dtype, (options, family, other), max_norm in product(errors, twins, (None, oracle.MAX_NORM)):
        problem = Problem(dtype, steps=oracle.STEPS)
        found = problem.run(OPTIMIZERS[name](problem.parameters(), max_norm=max_norm, **options))
        expected = oracle.torch_run(problem, family, options | other, max_norm)
        errors[dtype] += [relative(f, e) for f, e in zip(found, expected, strict=True)]
    return Row(2 * len(twins), (max(errors["float64"]), max(errors["float32"])))


def relative(found: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference, over the largest element."""
    return float(np.abs(found - expected).max() / np.abs(expected).max())


OPTIMIZER = Section(
    "Optimizers",
    "The parameters after 500 steps of a noisy quadratic against PyTorch's optimizer, relative to the largest "
    "element; cases: options, with and without clipping.",
    {"float64": 1e-10, "float32": 1e-5},
    lambda: set(OPTIMIZERS),
    {name: partial(optimizer, name) for name in OPTIMIZERS},
)


def schedule(name: str) -> Row:
    """The factor at each of 200 steps, beside PyTorch's scheduler of that kind."""
    from torch import zeros
    from torch.nn import Parameter
    from torch.optim import SGD, lr_scheduler

    steps, first = 200, 10  # 5% of 200
    twins = {
        "constant": lambda o: lr_scheduler.ConstantLR(o, factor=1.0),
        "cosine": lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=steps),
        "exponential": lambda o: lr_scheduler.ExponentialLR(o, gamma=0.01 ** (1 / steps)),
        "warmup": lambda o: lr_scheduler.LinearLR(o, start_factor=1 / first, total_iters=first - 1),
    }
    stepper = SGD([Parameter(zeros(1))], lr=1.0)
    twin, expected = twins[name](stepper), []
    for _ in range(steps):
        expected.append(twin.get_last_lr()[0])
        stepper.step()
        twin.step()
    return Row(steps, (error([SCHEDULES[name](step, steps) for step in range(steps)], expected),))


SCHEDULE = Section(
    "Schedules",
    "The factor on the step size at every step of 200 against PyTorch's scheduler.",
    {"factor": 1e-12},
    lambda: set(SCHEDULES),
    {name: partial(schedule, name) for name in ("constant", "cosine", "exponential", "warmup")},
)


def vae() -> Row:
    """Every kind of the paper's model: its gradients; and its training beside the PyTorch twin's."""
    from ...models import test_torch_twin as oracle

    rng = np.random.default_rng(SEED)
    cases = list(product(KINDS, ("A", "B"), (1, 3)))
    gradients = []
    for kind, estimator, samples in cases:
        model = small_vae(kind, estimator=estimator, dtype="float64")
        batch, epsilon = Batch(tensor(data(rng))), tensor(noise(rng, samples))
        f = lambda *_, m=model, b=batch, e=epsilon: m.phases(b, e)[0].loss  # noqa: E731
        gradients.append(gradient_error(f, model.parameters()))
    losses, parameters = [], []
    for options, decode in oracle.KINDS.values():
        model = VAE(64, oracle.LATENT_DIM, (oracle.HIDDEN,), **options, seed=oracle.SEED, dtype="float64")
        expected_losses, expected = oracle.train_twin(model.state_dict(), "float64", decode)
        found_losses, found = oracle.train(model, "float64")
        losses.append(error(found_losses, expected_losses))
        parameters += [relative(found[name], value) for name, value in expected.items()]
    return Row(len(cases), (max(gradients), max(losses), max(parameters)))


def wake_sleep() -> Row:
    """The same of wake-sleep: each phase by the parameters that it trains."""
    from ...models.learning import test_wake_sleep as small
    from ...models.learning import test_wake_sleep_twin as oracle

    rng = np.random.default_rng(SEED)
    cases = list(product(KINDS, ("A", "B"), (1, 3)))
    gradients, losses, parameters = [], [], []
    for kind, estimator, samples in cases:
        model = small.small_wake_sleep(kind, estimator=estimator, dtype="float64")
        batch, fixed = Batch(tensor(data(rng))), small.drawn(rng, samples)
        for number, phase in enumerate(model.phases(batch, fixed)):
            f = lambda *_, m=model, b=batch, e=fixed, i=number: m.phases(b, e)[i].loss  # noqa: E731
            gradients.append(gradient_error(f, phase.parameters))
    for kind in oracle.KINDS:
        model = oracle.make(kind)
        expected_losses, expected = oracle.train_twin(model.state_dict(), kind)
        found_losses, found = oracle.train(model, kind)
        losses.append(error(found_losses, expected_losses))
        parameters += [relative(found[name], value) for name, value in expected.items()]
    return Row(len(cases), (max(gradients), max(losses), max(parameters)))


MODEL = Section(
    "Models",
    "Two orders of derivatives of the loss by every parameter, for every likelihood, both estimators and 1 and 3 "
    "samples (of the variants, as they are usual), against central differences, phase by phase, with what is held "
    "for a gradient held: the code beside itself; the loss at each of 200 steps of Adam on handwritten digits "
    "(100 of both phases of wake-sleep), and the parameters after them, against a twin in PyTorch with its own "
    "distributions and optimizer.",
    {"differences": 1e-6, "PyTorch, losses": 1e-9, "PyTorch, parameters": 1e-9},
    lambda: set(MODELS),
    {name: partial(gradients, name) for name in members.MODELS} | {"vae": vae, "wake-sleep": wake_sleep},
)


def twin(name: str) -> Row:
    """Every case of a member in a step, beside its twin: values and gradients, in both precisions."""
    from ...twins import test_twins as oracle

    rows = [options for member, _, options in oracle.ROWS if member == name]
    largest: dict[tuple[str, str], float] = {}
    for dtype, options in product(oracle.TOLERANCE, rows):
        for what, off in oracle.distances(name, options, dtype):
            largest[dtype, what] = max(off, largest.get((dtype, what), 0.0))
    return Row(len(rows), tuple(largest[dtype, what] for dtype in oracle.TOLERANCE for what in ("value", "gradient")))


TWIN = Section(
    "Members beside their twins",
    "A step of every member against its loss written once more from its paper in PyTorch (tests/twins): the loss and "
    "every term of the history, new values of state, and the gradients by what each phase trains, so that it is seen "
    "where a gradient is held and how many samples are drawn. An error is a part of the largest element of its array, "
    "or of the largest term. Twenty steps of training are compared to 1e-8 in the tests. The differences of the "
    "section before compare a loss with itself, and know nothing of what is held.",
    {"values": 1e-10, "gradients": 1e-10, "values, float32": 1e-4, "gradients, float32": 1e-4},
    lambda: set(MODELS),
    {name: partial(twin, name) for name in members.MODELS},
)
SECTIONS = [OPTIMIZER, SCHEDULE, MODEL, TWIN]
