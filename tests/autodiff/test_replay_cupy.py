"""Replay on CUDA, over a device without a GPU: the same numbers, from C kernels, cuBLAS calls and graphs."""

import logging
import shutil

import numpy as np
import pytest

import minivae.autodiff as ad
from minivae import backend
from minivae.models import VAE, Batch
from minivae.optim import Adam

from .. import fake_cuda
from .steps import INPUTS, RandomStep

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler (cc)")


@pytest.fixture
def device(monkeypatch, tmp_path_factory):
    """The strict device with a CUDA side; compiled kernels are kept for the other tests."""
    folder = tmp_path_factory.getbasetemp() / "kernels"
    folder.mkdir(exist_ok=True)
    return fake_cuda.install(monkeypatch, folder)


def strict(array):
    return ad.Tensor(backend.asarray(array, backend="strict"))


RNG = np.random.default_rng(8)
X = RNG.standard_normal((5, 4)).astype("float32")


def assert_runs(step, *inputs, rtol=1e-5, times=4):
    """The results of a step's first calls are right: recorded, warm, captured, launched."""
    compiled = ad.compile(step)
    for scale in np.float32([1, 2, 0.5, -1])[:times]:
        given = [x * scale if x.dtype.kind == "f" else x for x in inputs]
        found = compiled(*map(strict, given)).numpy()  # before the step, which may assign to the same
        np.testing.assert_allclose(found, step(*map(strict, given)).numpy(), rtol, 1e-6)
    return compiled


def test_a_step_is_launched_as_one_graph_from_its_third_call(device):
    step = lambda x: ad.sum(ad.exp(x) @ ad.transpose(x))  # noqa: E731
    compiled = assert_runs(step, X, times=2)
    assert device.launches == 0
    compiled(strict(X))
    assert device.launches == 1
    for scale in (2, 3):
        np.testing.assert_allclose(compiled(strict(scale * X)).item(), step(strict(scale * X)).item(), rtol=1e-5)
    assert device.launches == 1 + 2 * 2  # what is read late is a graph of its own


@pytest.mark.parametrize("seed", range(12))
def test_random_steps_compute_what_they_do_eagerly(device, seed):
    eager, twin = RandomStep(seed, "strict"), RandomStep(seed, "strict")
    compiled = ad.compile(twin)
    for call in range(5):
        rng = np.random.default_rng([seed, 3, call])
        inputs = [strict(rng.standard_normal(shape).astype("float32")) for shape in INPUTS]
        found, expected = compiled(*inputs), eager(*inputs)
        for a, b in zip([*found, *twin.state], [*expected, *eager.state], strict=True):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=2e-4, atol=2e-5)
    assert twin.generator.state == eager.generator.state
    assert device.launches


@pytest.mark.parametrize(("likelihood", "dtype"), [("bernoulli", "float32"), ("gaussian", "float64")])
def test_training_is_that_of_the_cpu(device, likelihood, dtype):
    """Minibatches gathered on the device, noise drawn in the graph, Adam's numbers in 0-d arrays."""
    images = RNG.integers(0, 256, (40, 12), dtype=np.uint8)
    found, expected = (Training(images, library, likelihood, dtype) for library in ("strict", "numpy"))
    for step in range(8):
        rows = RNG.integers(0, 40, 10)
        np.testing.assert_allclose(found(rows), expected(rows), rtol=1e-5, err_msg=f"step {step}")
    assert device.launches == 2 * 6  # of what must run, and of the loss, which is read
    for name, value in expected.model.state_dict().items():
        np.testing.assert_allclose(found.model.state_dict()[name], value, rtol=1e-4, atol=1e-6)


class Training:
    """A model and its compiled step; calling it takes a step and tells the loss."""

    def __init__(self, images, library, likelihood, dtype):
        self.model = VAE(12, 3, (7,), likelihood=likelihood, dtype=dtype, library=library)
        self.adam, self.library, self.dtype = Adam(self.model.parameters(), 0.01), library, dtype
        self.images = ad.tensor(images, backend=library)
        self.generator = backend.generator(4, library)
        self.step = ad.compile(self._step)

    def _step(self, rows):
        x = ad.astype(ad.take(self.images, rows), self.dtype) / 255
        (objective,) = self.model.objectives(Batch(x), self.generator)
        self.adam.apply(ad.backward(objective.loss, objective.parameters))
        return objective.loss

    def __call__(self, rows):
        self.adam.advance()
        return self.step(ad.tensor(rows, backend=self.library)).item()


# ---------------------------------------------------------------- capture


def test_what_cannot_be_captured_runs_call_by_call_and_is_said_once(device, caplog):
    device.refuse.add("cublas")

    p = strict(X.copy())
    with caplog.at_level(logging.WARNING, "minivae"):
        compiled = ad.compile(lambda x: ad.assign(p, (p @ ad.transpose(x)) @ x))
        for call in range(5):
            expected = (p.numpy() @ X.T) @ X
            compiled(strict(X))
            np.testing.assert_allclose(p.numpy(), expected, rtol=1e-5, err_msg=f"call {call}")
    assert device.launches == 0
    (record,) = caplog.records
    assert record.name == "minivae"
    assert record.getMessage() == (
        "a compiled step cannot be captured in a CUDA graph and runs call by call "
        "(NotImplementedError: calling cublas during stream capture is unsupported)"
    )


def test_a_wait_for_the_device_ends_the_capture_and_nothing_else(device, caplog):
    mask = backend.asarray(X > 0, backend="strict")
    assert_runs(lambda x: ad.sum(x[mask]), X)
    assert len(caplog.records) == 1
    assert device.capturing is None


# ------------------------------------------------------- kernels and sums


@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 1)])
def test_a_chain_that_only_a_sum_reads_is_summed_as_it_is_computed(device, axis, monkeypatch):
    made = []
    make = fake_cuda.FakeCupy.ReductionKernel
    monkeypatch.setattr(fake_cuda.FakeCupy, "ReductionKernel", lambda *a, **o: made.append(o["name"]) or make(*a, **o))
    assert_runs(kept(lambda x, row: ad.sum(ad.exp(x) * row, axis)), X, X[0])
    assert made == ["minivae_exp_multiply_sum"]


@pytest.mark.parametrize(
    "step",
    [
        lambda x: (lambda y: ad.sum(y, 0) + ad.max(y, 0))(ad.exp(x)),  # read by another, too
        lambda x: ad.sum(ad.transpose(ad.exp(x)), 0),  # through a view
        lambda x: ad.sum(ad.astype(ad.astype(x > 0, "int32"), "int32"), 0),  # not floating point
    ],
)
def test_other_sums_are_the_library_s(device, step, monkeypatch):
    monkeypatch.delattr(fake_cuda.FakeCupy, "ReductionKernel")
    assert_runs(kept(step), X)


def kept(step):
    """The step with its result assigned to a state, so that it is not put off until it is read."""
    states = {}

    def keeping(*inputs):
        result = step(*inputs)
        state = states.setdefault(result.shape, ad.Tensor(result.data * 0))
        return ad.assign(state, result)

    return keeping


def test_a_sum_does_not_overwrite_what_it_still_reads(device):
    """The result of the sum may lie where the terms' operands lay: it is born when they have died."""

    def step(x):
        terms = ad.exp(ad.max(x, 0, keepdims=True) - ad.max(x, 1, keepdims=True))
        return ad.max(ad.sum(terms, 1)) * 2

    assert_runs(kept(step), X)


def test_what_has_no_translation_runs_function_by_function(device):
    assert_runs(lambda x: ad.astype(ad.astype(x, "float16") * 2, "float32"), X)
    assert_runs(lambda x: ad.gammaln(ad.square(x) + 1) * 2, X)


@pytest.mark.parametrize("count", [20, 130])
def test_a_kernel_of_more_arrays_than_cuda_takes_is_run_function_by_function(device, count):
    inputs = [np.full((2, 3), i, "float32") for i in range(count)]
    assert_runs(lambda *inputs: sum(inputs[1:], inputs[0]) * 2, *inputs, times=2)
