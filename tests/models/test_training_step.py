"""The whole training step, forward, backward and update: its dtype, and what it asks of a device."""

import numpy as np
import pytest

from minivae import backend
from minivae.autodiff import backward, hooked, tensor
from minivae.models import Batch
from minivae.optim import OPTIMIZERS

from ..doubles.strict_device import strict
from .kinds import EVERY_KIND, data, noise, small_vae
from .members import EVERY_MEMBER, batch_for, losses, member

ESTIMATORS = pytest.mark.parametrize("estimator", ["A", "B"])


def train_step(model, optimizer, x, source):
    """One step of Algorithm 1; returns the loss."""
    (phase,) = model.phases(Batch(x), source)
    optimizer.step(backward(phase.loss, phase.parameters))
    return phase.loss


@EVERY_KIND
@ESTIMATORS
@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_array_of_a_step_has_the_models_dtype(kind, estimator, name, dtype, rng, backend_name):
    """Also where data and noise come as float64 arrays: every result of every operation is looked at."""
    model = small_vae(kind, estimator=estimator, samples=2, dtype=dtype, backend=backend_name)
    optimizer = OPTIMIZERS[name](model.parameters(), weight_decay=0.1, max_norm=1.0)
    x, epsilon = (backend.asarray(a, backend=backend_name) for a in (data(rng), noise(rng, 2)))
    made = []
    with hooked(lambda primitive, inputs, attributes, output: made.append((primitive.name, output.dtype.name))):
        for source in (epsilon, backend.generator(0, backend_name)):
            train_step(model, optimizer, x, source)
    assert len(made) > 100
    assert {dtype_ for _, dtype_ in made} <= {dtype, "bool"}
    assert {p.dtype.name for p in model.parameters()} == {dtype}
    assert {slot.dtype.name for slot in optimizer.state} == {dtype}


@EVERY_KIND
@ESTIMATORS
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_step_makes_no_host_wait_moves_nothing_and_makes_no_float64(kind, estimator, name, rng):
    model = small_vae(kind, estimator=estimator, samples=2, backend="strict")
    optimizer = OPTIMIZERS[name](model.parameters(), weight_decay=0.1, max_norm=1.0)
    x, generator = tensor(data(rng), "float32", "strict"), backend.generator(0, "strict")
    counter = strict.counter
    with counter.forbid_synchronization(), counter.forbid_transfers(), counter.forbid_dtype("float64"):
        losses = [train_step(model, optimizer, x, generator) for _ in range(3)]
    with counter.count() as counts:
        assert np.isfinite([float(loss) for loss in losses]).all()
    assert counts.synchronizations == 3  # one for each value that was asked for


@EVERY_KIND
def test_what_users_call_waits_for_the_device_to_look_at_the_data_alone(kind, rng):
    model = small_vae(kind, backend="strict")
    x, generator = tensor(data(rng), "float32", "strict"), backend.generator(0, "strict")
    counter = strict.counter
    with counter.forbid_dtype("float64"):
        with counter.forbid_transfers(), counter.count() as counts:
            model.reconstruct(x)
        assert counts.synchronizations == 2  # the smallest value, and the largest
        with counter.forbid_synchronization(), counter.forbid_transfers():
            model.sample(generator, 4)


@EVERY_KIND
@ESTIMATORS
def test_every_backend_takes_the_same_step(kind, estimator, rng, backend_name):
    x, epsilon = data(rng), noise(rng, 2)

    def after(where):
        model = small_vae(kind, estimator=estimator, dtype="float64", backend=where)
        optimizer = OPTIMIZERS["adam"](model.parameters())
        for _ in range(3):
            loss = train_step(model, optimizer, tensor(x, backend=where), backend.asarray(epsilon, backend=where))
        return [loss.numpy(), *model.state_dict().values()]

    for here, there in zip(after("numpy"), after(backend_name), strict=True):
        np.testing.assert_allclose(there, here, rtol=1e-9)


@EVERY_KIND
@ESTIMATORS
def test_steps_raise_the_bound(kind, estimator, rng):
    model = small_vae(kind, estimator=estimator)
    optimizer, x, epsilon = OPTIMIZERS["adam"](model.parameters(), 0.01), data(rng), noise(rng)
    losses = [float(train_step(model, optimizer, x, epsilon)) for _ in range(100)]
    assert losses[-1] < losses[0] - 0.5


@EVERY_MEMBER
def test_no_gradient_depends_on_the_order_of_atomic_additions(name, rng):
    """So that a run on a GPU is resumed exactly: of an element that is taken twice, one cotangent at most is not 0."""
    adders = {"put_back", "scatter", "scatter_all"}

    def check(primitive, inputs, attributes, output):
        if primitive.name in adders:
            ones = [tensor((x.numpy() != 0).astype("float64")) for x in inputs if x.dtype.kind == "f"]
            others = [x for x in inputs if x.dtype.kind != "f"]
            assert primitive.value(np, *(x.numpy() for x in (*ones, *others)), **attributes).max(initial=0) <= 1

    model = member(name)
    for loss, parameters in losses(model, batch_for(model, rng)):
        with hooked(check):
            backward(loss(), parameters)
