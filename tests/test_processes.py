"""Models and data travel to other processes; a child that is forked or spawned trains as its parent does."""

import copy
import multiprocessing
import pickle
from functools import partial

import numpy as np
import pytest

import minivae
from minivae import datasets
from minivae.autodiff import Tensor, tanh, tensor
from minivae.compiler import numba as replay_numba
from minivae.errors import InputError
from minivae.models import MODELS, VAE
from minivae.optim import OPTIMIZERS
from minivae.runs import History, Run
from minivae.training import Settings, Trainer, run_to_end

from .models.members import member

COPIES = {"pickle": lambda x: pickle.loads(pickle.dumps(x)), "deepcopy": copy.deepcopy}
every_copy = pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)


def trained(model, data, seed=0, **settings):
    """The parameters after an epoch, as bytes."""
    trainer = Trainer(model, data, Settings(**{"epochs": 1, "batch_size": 50, "seed": seed, **settings}))
    run_to_end(trainer, progress=False)
    return {name: array.tobytes() for name, array in model.state_dict().items()}


def train_with_seed(seed, model=None, data=None, compile=True):
    """What a child does: as it is sent them, or with a model and data of its own."""
    return trained(model or VAE(64, 2, (8,)), data or datasets.load("digits"), seed, compile=compile)


# --------------------------------------------------------------- copies


@every_copy
@pytest.mark.parametrize("name", MODELS)
def test_a_copy_of_a_trained_model_is_one_that_can_be_trained_on(name, copied, rng):
    split = datasets.Split(rng.uniform(size=(100, 6)).astype(np.float32), np.arange(100) % 3)
    data = datasets.Dataset("made", split, split, None, 1.0, "")
    model = member(name)
    first = trained(model, data)
    other = copied(model)
    second = trained(other, data)
    assert trained(copied(model), data) == second != first
    assert {k: a.tobytes() for k, a in model.state_dict().items()} == first  # they share nothing
    assert trained(model, data) == second


@every_copy
def test_what_describes_a_run_can_be_copied(copied):
    settings, history = Settings(lr=0.1, optimizer_options={"max_norm": 1.0}), History([{"test_bound": -1.0}])
    assert copied(settings) == settings
    assert copied(history).rows == history.rows
    assert copied(Run("folder", {"model": "vae"})).config == {"model": "vae"}
    digits, other = datasets.load("digits"), copied(datasets.load("digits"))
    np.testing.assert_array_equal(other.train.images, digits.train.images)
    generator = minivae.backend.generator(3)
    assert (copied(generator).standard_normal((9,)) == generator.standard_normal((9,))).all()
    assert copied(tanh) is tanh


@every_copy
def test_a_copy_of_a_computed_tensor_has_its_values_alone(copied):
    """With its graph it would be differentiated by copies of its leaves, of which nobody knows."""
    x = tensor([1.0, 2.0], requires_grad=True)
    other_x, other = copied((x, tanh(x)))
    np.testing.assert_array_equal(other.numpy(), tanh(x).numpy())
    assert (other_x.requires_grad, other.requires_grad, other.node) == (True, False, None)


@every_copy
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_what_cannot_be_copied_says_what_to_do(copied, optimizer):
    trainer = Trainer(VAE(64, 2, (8,)), datasets.load("digits"), Settings(optimizer=optimizer))
    for thing in (trainer, trainer.optimizers[0]):
        with pytest.raises(InputError, match="cannot be copied or pickled; make another"):
            copied(thing)
    with pytest.raises(InputError, match="a compiled step cannot be copied or pickled; compile"):
        copied(minivae.compile(lambda x: x * 2))


# ------------------------------------------------------------- processes

# Python warns of a fork beside OpenBLAS's threads; those have a fork handler.
forking = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


@forking
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_children_train_as_their_parent_does(method):
    """A pool over seeds; with fork, after the parent has compiled a step."""
    model, data = VAE(64, 2, (8,)), datasets.load("digits")
    sent = copy.deepcopy(model)
    expected = [train_with_seed(0, model, data), train_with_seed(1)]
    with multiprocessing.get_context(method).Pool(1) as pool:
        with_sent = pool.apply_async(train_with_seed, (0, sent, data))
        found = [with_sent.get(60), *pool.map_async(train_with_seed, [1]).get(60)]
    assert found == expected


@forking
def test_a_fork_after_numba_has_run_trains_as_its_parent_does(monkeypatch):
    pytest.importorskip("numba")
    monkeypatch.setattr(replay_numba, "LEAST_SIZE", 2)
    expected = train_with_seed(0)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        found = pool.map_async(partial(train_with_seed, compile=True), [0, 0]).get(60)
    assert found == [expected, expected]


def _goes_on(queue, trainer):
    run_to_end(trainer, progress=False)
    queue.put({name: array.tobytes() for name, array in trainer.model.state_dict().items()})


@forking
def test_a_trainer_goes_on_in_a_fork_and_its_parent_is_not_disturbed():
    """The recorded step, its buffers, and the results not yet read are of each process alone."""
    trainer = Trainer(VAE(64, 2, (8,)), datasets.load("digits"), Settings(epochs=1, batch_size=50))
    for _ in range(3):
        bound: Tensor = trainer.train_step()["bound"]
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    child = context.Process(target=_goes_on, args=(queue, trainer))
    child.start()
    found = queue.get()
    child.join(60)
    assert trainer.step == 3
    assert np.isfinite(float(bound))
    run_to_end(trainer, progress=False)
    assert found == {name: array.tobytes() for name, array in trainer.model.state_dict().items()}
