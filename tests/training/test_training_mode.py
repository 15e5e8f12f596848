"""Layers that compute otherwise in training (BatchNorm), in models of one's own: steps, resuming, evaluation."""

import numpy as np
import pytest

from minivae.autodiff import relu
from minivae.errors import InputError
from minivae.models import VAE, FullVB
from minivae.models.learning.wake_sleep import WakeSleep
from minivae.nn import BatchNorm, Linear, Module
from minivae.nn.mode import is_training
from minivae.training import Settings, Trainer, evaluate, fit

from ..doubles.oracle import torch
from ..doubles.strict_device import strict
from .conftest import BATCH, assert_same_state, made_of, small_trainer


class Normalised(Module):
    """A hidden layer with batch normalization, and what an encoder or a decoder puts upon it."""

    def __init__(self, inputs, outputs, make, noise, options):
        of_layer = {name: options[name] for name in ("dtype", "backend")}
        self.first, self.norm = Linear(inputs, 16, noise, **of_layer), BatchNorm(16, **of_layer)
        self.rest = make(16, outputs, noise, options)

    def __call__(self, x):
        return self.rest(relu(self.norm(self.first(x))))


def with_norms(kind):
    """A model of one's own, whose methods know nothing of training: both networks are normalised."""

    class Own(kind):
        def build(self, noise, options):
            super().build(noise, options)
            encoder, decoder = type(self.encoder), type(self.decoder)
            make = lambda network: lambda i, o, noise, options: network(i, (), o, noise, **options)  # noqa: E731
            self.encoder = Normalised(self.data_dim, self.latent_dim, make(encoder), noise, options)
            self.decoder = Normalised(self.latent_dim, self.data_dim, make(decoder), noise, options)
            self.decoder.domain = self.decoder.rest.domain

    return Own


KINDS = {"vae": (VAE, {}), "wake-sleep": (WakeSleep, {}), "full-vb": (FullVB, {"dataset_size": 230})}
EVERY_KIND = pytest.mark.parametrize("kind", KINDS)


def trainer_of(kind, digits, dtype="float32", **settings):
    base, options = KINDS[kind]
    return small_trainer(digits, with_norms(base)(64, 3, (16,), dtype=dtype, **options), epochs=5, **settings)


def running(model):
    return {name: value for name, value in model.state_dict().items() if "running" in name}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@EVERY_KIND
def test_compiled_steps_are_the_eager_ones(kind, dtype, digits):
    eager, compiled = (trainer_of(kind, digits, dtype, compile=c) for c in (False, True))
    for _ in range(6):
        for trainer in (eager, compiled):
            trainer.train_step()
            assert not is_training()
    object.__setattr__(eager.settings, "compile", True)
    assert_same_state(compiled, eager)
    assert {value.dtype for value in running(eager.model).values()} == {np.dtype(dtype)}


@EVERY_KIND
def test_a_resumed_run_is_the_uninterrupted_one(kind, digits):
    whole, first, second = (trainer_of(kind, digits) for _ in range(3))
    for _ in range(7):
        whole.train_step()
    for _ in range(3):
        first.train_step()
    second.load_state(*first.state())
    for _ in range(4):
        second.train_step()
    assert_same_state(second, whole)


@EVERY_KIND
def test_making_a_trainer_and_evaluating_move_nothing_and_use_what_has_moved(kind, digits):
    """Evaluation is that of running means: it takes each row by itself, whatever it is cut into."""
    trainer = trainer_of(kind, digits)
    first = running(trainer.model)
    assert {float(value.ravel()[0]) for value in first.values()} == {0.0, 1.0}
    trainer.train_step()
    moved = running(trainer.model)
    assert all((moved[name] != first[name]).any() for name in first)
    model = trainer.model
    noise = np.zeros((1, 70, 3), np.float32)
    x = digits.test.images / digits.scale
    together = model.bound(x, noise).value.numpy()
    apart = np.concatenate([model.bound(x[i : i + 1], noise[:, :1]).value.numpy() for i in range(70)])
    np.testing.assert_allclose(together, apart, rtol=2e-5)
    trainer.report()
    evaluate(model, trainer.test)
    assert all((value == moved[name]).all() for name, value in running(model).items())


def test_the_running_means_of_a_step_are_pytorchs(digits):
    """Wake-sleep gives the encoder the data and then dreams, the decoder its draws and those of dreams."""
    trainer = trainer_of("wake-sleep", digits, "float64", compile=False)
    model, seen = trainer.model, {"encoder": [], "decoder": []}
    for name, inputs in seen.items():
        layer = getattr(model, name).first
        layer.__class__ = type("Watched", (Linear,), {"__call__": watched(inputs)})
    trainer.train_step()
    for name, inputs in seen.items():
        inputs = [x for training, x in inputs if training]
        assert len(inputs) == 2
        theirs = torch.nn.BatchNorm1d(16, dtype=torch.float64)
        for x in inputs:
            theirs(torch.tensor(x.reshape(-1, 16)))
        found = getattr(model, name).norm
        np.testing.assert_allclose(found.running_mean.numpy(), theirs.running_mean.numpy(), rtol=1e-12)
        np.testing.assert_allclose(found.running_var.numpy(), theirs.running_var.numpy(), rtol=1e-12)


def watched(inputs):
    def call(self, x):
        y = Linear.__call__(self, x)
        inputs.append((is_training(), y.numpy()))
        return y

    return call


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("compile", [True, False])
def test_a_step_that_is_taken_back_takes_running_means_back(digits, compile):
    trainer = trainer_of("vae", digits, skip_nonfinite=True, compile=compile)
    trainer.train_step()
    before = running(trainer.model)
    bias = trainer.model.encoder.first.bias
    bias.data[0] = np.inf
    state = trainer.model.state_dict()
    assert float(trainer.train_step()["skipped"]) == 1
    assert all((value == before[name]).all() for name, value in running(trainer.model).items())
    assert all((value == state[name]).all() for name, value in trainer.model.state_dict().items())
    bias.data[0] = 0
    assert float(trainer.train_step()["skipped"]) == 0
    assert all((value != before[name]).any() for name, value in running(trainer.model).items())


@EVERY_KIND
def test_a_step_on_the_strict_device_waits_for_nothing(kind, digits):
    base, options = KINDS[kind]
    numpy, device = (
        small_trainer(digits, with_norms(base)(64, 3, (16,), backend=backend, **options), compile=False)
        for backend in ("numpy", "strict")
    )
    for trainer in (numpy, device):
        trainer.train_step()
    with strict.counter.forbid_synchronization(), strict.counter.forbid_dtype("float64"):
        device.train_step()
    numpy.train_step()
    for name, value in numpy.model.state_dict().items():
        np.testing.assert_allclose(device.model.state_dict()[name], value, rtol=1e-4, atol=1e-4)


def test_a_model_of_ones_own_is_fit(digits):
    """The bound of evaluation rises, and is near that of training: running means are those of the data."""
    model = with_norms(VAE)(64, 3, (16,))
    rows = fit(model, digits, epochs=30, batch_size=BATCH, lr=0.01, progress=False).rows
    assert rows[-1]["test_bound"] > rows[0]["test_bound"] + 5
    assert rows[-1]["test_bound"] == pytest.approx(rows[-1]["train_bound"], rel=0.15)


def test_a_minibatch_of_one_is_refused(digits):
    trainer = Trainer(with_norms(VAE)(64, 3, (16,)), made_of(np.eye(64)[:5]), Settings(batch_size=1))
    with pytest.raises(InputError, match="at least 2 vectors in training"):
        trainer.train_step()
