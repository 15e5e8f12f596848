"""NaN and infinities put into a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minivae.autodiff import sum
from minivae.datasets import Dataset, Split
from minivae.errors import NonFiniteError
from minivae.models import MODELS, Model
from minivae.models.phase import Phase
from minivae.models.registry import options
from minivae.runs import Pace, Run
from minivae.runs.checkpoint import load_checkpoint
from minivae.training import Settings, Trainer, run_to_end

from ...models.members import CLASSES, DATA_DIM, member
from ._engines import numba
from .campaign import REFUSED, RIGHT, campaign

ROWS, BATCH, EPOCHS = 24, 6, 3
PER_EPOCH = ROWS // BATCH


class Fault(NamedTuple):
    """What is put in before a step.

    Attributes:
        put: makes the fault.
        named: what the error has to say of it, whenever it is found.
        undo: what ends it after the step; None for a fault that lasts.
        row: the row of data that it is in, if it is in one.
    """

    put: Callable[[], None]
    named: str
    undo: Callable[[], None] | None = None
    row: int | None = None


# ------------------------------------------------------------------ in a run


@campaign(
    "numbers: NaN and infinities in parameters, moments, data, gradients, terms and step sizes",
    "named within one report interval, the last good checkpoint kept",
    cases=300,
    quick=5,
)
def _found(folder: Path) -> Iterator[str]:
    """Any model, likelihood, optimizer and engine; a fault of any kind at any step of three epochs."""
    for seed in count():
        with numba(seed % 5 == 4):
            yield _one_run(np.random.default_rng(seed), folder / str(seed), FAULTS)


@campaign(
    "numbers: NaN and infinities where steps may be skipped",
    "these steps left out and counted, and no others; what lasts is named within one report interval",
    cases=200,
    quick=4,
)
def _skipped(folder: Path) -> Iterator[str]:
    """A gradient or term of one step, and rows of data, are passed over; what is in a parameter or moment ends it."""
    for seed in count():
        with numba(seed % 5 == 4):
            yield _one_run(np.random.default_rng(seed), folder / str(seed), FAULTS[:-1], skip_nonfinite=True)


def _one_run(random: np.random.Generator, folder: Path, kinds: Sequence[Callable], **settings: Any) -> str:
    trainer, twin = _twins(random, settings)
    kind, step = kinds[random.integers(len(kinds))], int(random.integers(EPOCHS * PER_EPOCH))
    fault = kind(trainer, random, random.choice([np.nan, np.inf, -np.inf]))
    met = _steps_that_meet(trainer, step, fault)
    _put_before(trainer, step, fault)
    run = Run.create(folder, {"model": "vae"})
    run.pace = Pace(0)
    try:
        run_to_end(trainer, run, progress=False)
        wrong, outcome = _was_passed_over(trainer, met), RIGHT
    except NonFiniteError as error:
        wrong, outcome = _was_found(trainer, met, fault, str(error)) or _was_kept(run, twin, trainer), REFUSED
    except Exception as error:
        wrong = f"{type(error).__name__}: {error}"
    what = f"{type(trainer.model).__name__}, {trainer.settings.optimizer}, {kind.__name__} before step {step}"
    return f"{what}: {wrong}" if wrong else outcome


def _twins(random: np.random.Generator, settings: dict[str, Any]) -> list[Trainer]:
    """Two runs that are the same; one will be faulty."""
    name = str(random.choice(list(MODELS)))
    own = {"likelihood": str(random.choice(["bernoulli", "gaussian"]))} if "likelihood" in options(MODELS[name]) else {}
    optimizer = str(random.choice(["adam", "adagrad", "adamax", "sgd"]))
    chosen = {"optimizer": optimizer, "compile": bool(random.integers(4))}
    images = random.uniform(size=(ROWS, DATA_DIM)).astype(np.float32)
    runs = []
    for _ in range(2):
        train, test = (Split(images.copy(), np.arange(ROWS) % CLASSES) for _ in range(2))
        given = Settings(epochs=EPOCHS, batch_size=BATCH, lr=1e-3, **chosen, **settings)
        runs.append(Trainer(member(name, **own), Dataset("made", train, test, None, 1.0, ""), given))
    return runs


def _put_before(trainer: Trainer, step: int, fault: Fault) -> None:
    plain = trainer.train_step

    def train_step() -> Any:
        now = trainer.step == step
        if now:
            fault.put()
        terms = plain()
        if now and fault.undo:
            fault.undo()
        return terms

    trainer.train_step = train_step


def _steps_that_meet(trainer: Trainer, step: int, fault: Fault) -> list[int]:
    """The steps that a fault spoils at once: its own, or those that read its row."""
    if fault.row is None:
        return [step]
    orders = [trainer.train.shuffled(BATCH, trainer.settings.seed, epoch).numpy() for epoch in range(EPOCHS)]
    return [n for n, rows in enumerate(np.concatenate(orders)) if n >= step and fault.row in rows]


def _was_passed_over(trainer: Trainer, met: list[int]) -> str:
    """What is wrong with a run that came to its end; empty if nothing is."""
    if not trainer.settings.skip_nonfinite:
        return "not found" if met else ""
    counted = trainer.skipped, trainer.history.rows[-1]["skipped"]
    return "" if counted == (len(met), len(met)) else f"{counted} steps skipped; expected {len(met)}"


def _was_found(trainer: Trainer, met: list[int], fault: Fault, message: str) -> str:
    """What is wrong with when and how the fault was found."""
    latest = (met[0] // PER_EPOCH + 1) * PER_EPOCH if met else 0
    if trainer.step > latest or (trainer.settings.skip_nonfinite and (fault.undo or fault.row is not None)):
        return f"found at step {trainer.step}, expected by {latest}, if at all"
    told = f"at step {trainer.step}: " in message and fault.named in message
    return "" if told else f"the message does not say {fault.named!r} or the step: {message}"


def _was_kept(run: Run, twin: Trainer, trainer: Trainer) -> str:
    """What is wrong with the checkpoint, which is that of the twin at the last good report."""
    good = (trainer.step - 1) // PER_EPOCH * PER_EPOCH
    if not good:
        return "a checkpoint of the fault" if run.checkpoint_path.exists() else ""
    while twin.step < good:
        twin.train_step()
        if twin.step % PER_EPOCH == 0:
            twin.report()
    arrays, meta = load_checkpoint(run.checkpoint_path)
    expected, _ = twin.state()
    same = all(np.array_equal(arrays[name], array) for name, array in expected.items())
    return "" if same and meta["step"] == good else f"the checkpoint is not that of step {good}"


# ------------------------------------------------------------- kinds of faults


def _a_parameter(trainer: Trainer, random: np.random.Generator, value: float) -> Fault:
    """An element of any tensor of the model, trained or not."""
    return _an_element([x for _, x in trainer.model.named_tensors() if x.ndim], random, value)


def _a_moment(trainer: Trainer, random: np.random.Generator, value: float) -> Fault:
    """An element of an optimizer's memory."""
    return _an_element([x for optimizer in trainer.optimizers for x in optimizer.state], random, value)


def _an_element(tensors: Sequence[Any], random: np.random.Generator, value: float) -> Fault:
    array = tensors[random.integers(len(tensors))].data
    place = tuple(random.integers(array.shape))
    return Fault(lambda: array.__setitem__(place, value), " holds ")


def _a_row(trainer: Trainer, random: np.random.Generator, value: float) -> Fault:
    """A value of the training data, after they were checked."""
    row, column = int(random.integers(ROWS)), int(random.integers(DATA_DIM))
    put = lambda: trainer.train.images.data.__setitem__((row, column), value)  # noqa: E731
    return Fault(put, f"training row {row} is not finite at value {column}", row=row)


def _a_gradient(trainer: Trainer, random: np.random.Generator, value: float) -> Fault:
    """The gradient by one parameter, for one step; the bound does not show it."""
    phase = int(random.integers(len(trainer.optimizers)))
    place = int(random.integers(len(trainer.optimizers[phase].parameters)))
    spoilt = lambda one, slope: one._replace(loss=one.loss + sum(one.parameters[place] * slope))  # noqa: E731
    return _in_a_phase(trainer.model, phase, spoilt, value, " holds ")


def _a_term(trainer: Trainer, random: np.random.Generator, value: float) -> Fault:
    """A term of the bound as it is reported, for one step; no gradient, and so no parameter, shows it."""
    place = int(random.integers(9))

    def spoilt(one: Phase, wrong: np.ndarray) -> Phase:
        name = list(one.terms)[place % len(one.terms)]
        return one._replace(terms={**one.terms, name: one.terms[name] + wrong})

    return _in_a_phase(trainer.model, 0, spoilt, value, "the training bound is not finite")


def _in_a_phase(
    model: Model, phase: int, spoilt: Callable[[Phase, np.ndarray], Phase], value: float, named: str
) -> Fault:
    """A phase that depends on a number, which is ``value`` for one step and else 0."""
    plain, number = model.phases, model.scalar(0.0).data

    def phases(batch: Any, noise: Any) -> list[Phase]:
        phases = plain(batch, noise)
        phases[phase] = spoilt(phases[phase], number)
        return phases

    model.phases = phases
    return Fault(lambda: number.fill(value), named, undo=lambda: number.fill(0))


def _a_step_size(trainer: Trainer, random: np.random.Generator, value: float) -> Fault:
    """One that float32 cannot hold, from a step on."""
    optimizer = trainer.optimizers[random.integers(len(trainer.optimizers))]
    return Fault(lambda: setattr(optimizer, "lr", 1e39), " holds ")


FAULTS = (_a_parameter, _a_moment, _a_row, _a_gradient, _a_term, _a_step_size)
