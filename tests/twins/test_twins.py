"""Every member beside its twin in PyTorch: values of every term, what is trained, every gradient, and 20 steps."""

from __future__ import annotations

import json

import numpy as np
import pytest

from minivae.models import MODELS
from minivae.training import Settings
from minivae.training.trainer import Trainer

from ..doubles.oracle import one_thread, torch  # noqa: F401 (a fixture)
from . import cases, members, stored
from .members import TWINS
from .twin import Draws, Training, gradients_of, trained_by

TOLERANCE = {"float64": 1e-10, "float32": 1e-4}
SUBNORMAL = 1e6  # up to so many times the smallest normal number a gradient is one of numbers without their digits
EPOCHS_STEPS, CLASSES = 10, cases.CLASSES
ROWS = [(name, title, options) for name in TWINS for title, options in cases.cases(name, TWINS[name].cases)]
EVERY_ROW = pytest.mark.parametrize(
    ("name", "options"), [(n, o) for n, _, o in ROWS], ids=[f"{n}, {t}" for n, t, _ in ROWS]
)


@pytest.mark.release
def test_every_member_has_a_twin():
    assert TWINS.keys() == MODELS.keys()


def test_every_twin_is_that_of_a_member():
    assert members.found().keys() <= MODELS.keys()


def expected(name, model, batch, step, dtype):
    """The twin's weights, and the phases of its step."""
    trained = {key for phase in step.trained for key in phase}
    w = {key: torch.tensor(value, requires_grad=key in trained) for key, value in step.weights.items()}
    context = None if batch.context is None else torch.tensor(batch.context.numpy())
    draws = Draws(step.draws, getattr(torch, dtype))
    phases = TWINS[name].phases(w, torch.tensor(batch.x.numpy()), context, draws, model.config)
    draws.require_used()
    return w, phases


def distance(found, wanted, scale=0.0):
    """The largest difference as a part of the largest element, or of what stands beside it."""
    wanted = wanted.detach().numpy()
    assert found.shape == wanted.shape
    error, size = np.abs(found - wanted).max(initial=0), max(np.abs(wanted).max(initial=0), scale)
    return float(error / size) if error > SUBNORMAL * np.finfo(found.dtype).tiny else 0.0


def close(found, wanted, tolerance, scale=0.0):
    assert distance(found, wanted, scale) <= tolerance


def distances(name, options, dtype):
    """From the twin, of all values and of all gradients of a step: ``value`` or ``gradient``, and how far it is off."""
    model, batch = cases.make(name, options, dtype)
    step = cases.step(model, batch)
    w, phases = expected(name, model, batch, step, dtype)
    assert len(phases) == len(step.losses)
    for i, phase in enumerate(phases):
        assert set(trained_by(w, phase)) == set(step.trained[i])
        assert phase.terms.keys() == step.terms[i].keys()
        assert phase.assigned.keys() == step.assigned[i].keys()
        size = max([1.0, *(abs(float(value.detach())) for value in phase.terms.values())])  # (terms may cancel)
        yield "value", distance(step.losses[i], phase.loss, size)
        yield from (("value", distance(step.terms[i][key], value, size)) for key, value in phase.terms.items())
        yield from (("value", distance(step.assigned[i][key], value)) for key, value in phase.assigned.items())
        gradients = gradients_of(w, phase)
        largest = max(float(g.abs().max()) for g in gradients.values())
        for key, g in gradients.items():
            yield "gradient", distance(step.gradients[i][key], g, 1e-3 * largest)


# In float32 the suite has the usual case of each member, which tells whether its dtype is kept; the others are slow.
@pytest.mark.parametrize(
    ("name", "options", "dtype"),
    [
        pytest.param(
            n, o, dtype, id=f"{n}, {t}-{dtype}", marks=[pytest.mark.slow] * (dtype == "float32" and t != "usual")
        )
        for n, t, o in ROWS
        for dtype in TOLERANCE
    ],
)
def test_values_and_gradients(name, options, dtype):
    for what, error in distances(name, options, dtype):
        assert error <= TOLERANCE[dtype], what


@EVERY_ROW
def test_schedules(name, options):
    """State that follows a schedule, at some steps of a long run."""
    model, _ = cases.make(name, options, "float64")
    w = {key: torch.tensor(value.numpy()) for key, value in model.named_tensors()}
    for at in (0, 1, 399, 999, 12345, 50_000, 99_999):
        model.advance(at, 100_000)
        TWINS[name].advance(w, at, 100_000, model.config)
        for key, value in model.named_tensors():
            close(value.numpy(), w[key], 1e-12)


OPTIMIZERS = {
    "adam": ({"optimizer": "adam"}, lambda w: torch.optim.Adam(w, 1e-3)),
    "adagrad": ({"optimizer": "adagrad", "lr": 0.02}, lambda w: torch.optim.Adagrad(w, 0.02, eps=1e-8)),
    "adamax": ({"optimizer": "adamax"}, lambda w: torch.optim.Adamax(w, 2e-3)),
    "sgd": (
        {"optimizer": "sgd", "lr": 1e-2, "optimizer_options": {"momentum": 0.9}},
        lambda w: torch.optim.SGD(w, 1e-2, momentum=0.9),
    ),
}
RUNS = [(name, "adam") for name in TWINS] + [("vae", "adagrad"), ("vae", "adamax"), ("vae", "sgd")]


@pytest.mark.parametrize(("name", "optimizer"), RUNS)
def test_20_steps_of_training(name, optimizer):
    """A run of two epochs: each phase's own optimizer, running state, schedules, in the order of Algorithm 1."""
    settings, usual = OPTIMIZERS[optimizer]
    model, batch = cases.make(name, {}, "float64")
    data = cases.dataset(CLASSES, EPOCHS_STEPS * cases.M)
    run = Trainer(model, data, Settings(epochs=2, batch_size=cases.M, compile=False, **settings))
    twin, total = TWINS[name], run.total_steps
    assert total == 2 * EPOCHS_STEPS
    trained = {key for phase in cases.step(model, batch).trained for key in phase}
    w = {k: torch.tensor(v.numpy(), requires_grad=k in trained) for k, v in model.named_tensors()}
    training = Training(w, usual)
    for at in range(total):
        rows = run.train.shuffled(cases.M, 0, at // EPOCHS_STEPS).numpy()[at % EPOCHS_STEPS]
        with cases.watched() as drawn:
            parts = run.train_step()
        with torch.no_grad():
            twin.advance(w, at, total, model.config)
        labels = torch.tensor(np.eye(CLASSES)[data.train.labels[rows]]) if model.context_dim else None
        draws = Draws(drawn, torch.float64)
        phases = twin.phases(w, torch.tensor(data.train.images[rows]), labels, draws, model.config)
        draws.require_used()
        training.step(phases)
        for key, value in [pair for p in phases for pair in p.terms.items()]:
            close(parts[key].numpy(), value, 1e-8, 1.0)
    for key, value in model.named_tensors():
        close(value.numpy(), w[key], 1e-8, 1e-3)


def stored_rows():
    """Member, case, options and phases of each row that is kept for those without PyTorch: from the twins alone."""
    for name, title, options in ROWS:
        if title in stored.TITLES or title in TWINS[name].cases:
            model, batch = cases.make(name, options, "float64")
            step = cases.step(model, batch)
            w, phases = expected(name, model, batch, step, "float64")
            yield name, title, options, [stored_phase(w, phase) for phase in phases]


def stored_phase(w, phase):
    """The numbers of a twin's phase."""

    def arrays(tensors):
        return {key: value.detach().numpy() for key, value in tensors.items()}

    gradients = arrays(gradients_of(w, phase))
    return stored.phase(phase.loss.detach(), arrays(phase.terms), gradients, arrays(phase.assigned))


def require_stored(rows):
    """Rows are in the table as they are, and it has no others of these names."""
    table = stored.table()
    rows = [row for row in rows if row[0] in table]  # that all are there is looked at before a release
    assert {(name, title) for name, title, *_ in rows} == {(n, t) for n in {row[0] for row in rows} for t in table[n]}
    for name, title, options, phases in rows:
        assert table[name][title]["options"] == json.loads(json.dumps(options))
        for found, kept in zip(phases, table[name][title]["phases"], strict=True):
            assert found == pytest.approx(kept, rel=1e-9, abs=1e-10 * max(1.0, *map(abs, kept.values())))


def test_what_is_stored_is_what_the_twins_give():
    require_stored(stored_rows())
