"""Replay on CUDA: the same numbers, from generated kernels, cuBLAS calls and captured graphs.

Every test runs on a device without a GPU (:mod:`tests.doubles.fake_cuda`) and, where there is one, on a GPU.
"""

import numpy as np
import pytest

import minivae as mv
import minivae.autodiff as ad
from minivae import backend
from minivae.autodiff import PRIMITIVES
from minivae.autodiff.formula import Formula
from minivae.compiler.cuda import replay as replay_cupy
from minivae.models import VAE, Batch
from minivae.optim import Adam

from ..doubles.cuda import kept
from .steps import INPUTS, RandomStep

RNG = np.random.default_rng(8)
X = RNG.standard_normal((5, 4)).astype("float32")


# ------------------------------------------------------------ whole steps


@pytest.mark.parametrize("seed", range(12))
def test_random_steps_compute_what_they_do_eagerly(cuda, seed):
    eager, twin = RandomStep(seed, cuda.name), RandomStep(seed, cuda.name)
    compiled = mv.compile(twin)
    for call in range(5):
        rng = np.random.default_rng([seed, 3, call])
        inputs = [cuda.tensor(rng.standard_normal(shape).astype("float32")) for shape in INPUTS]
        found, expected = compiled(*inputs), eager(*inputs)
        for a, b in zip([*found, *twin.state], [*expected, *eager.state], strict=True):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=2e-4, atol=2e-5)
    assert twin.generator.state == eager.generator.state
    assert cuda.launches


class Training:
    """A model and its compiled step; calling it takes a step and tells the loss.

    Noise is drawn in the step, or given.
    """

    def __init__(self, images, where, likelihood, dtype):
        self.model = VAE(12, 3, (7,), likelihood=likelihood, dtype=dtype, backend=where)
        self.adam, self.backend, self.dtype = Adam(self.model.parameters(), 0.01), where, dtype
        self.images = ad.tensor(images, backend=where)
        self.generator = backend.generator(4, where)
        self.step = mv.compile(self._step)

    def _step(self, rows, noise=None):
        x = ad.astype(ad.take(self.images, rows, 0), self.dtype) / 255
        (phase,) = self.model.phases(Batch(x), self.generator if noise is None else noise)
        self.adam.apply(ad.backward(phase.loss, phase.parameters))
        return phase.loss

    def __call__(self, *arrays):
        self.adam.advance()
        return self.step(*(ad.tensor(array, backend=self.backend) for array in arrays)).item()


@pytest.mark.parametrize(("likelihood", "dtype"), [("bernoulli", "float32"), ("gaussian", "float64")])
def test_training_is_that_of_the_cpu(cuda, likelihood, dtype):
    """Minibatches gathered on the device, Adam's numbers in 0-d arrays."""
    images = RNG.integers(0, 256, (40, 12), dtype=np.uint8)
    found, expected = (Training(images, backend, likelihood, dtype) for backend in (cuda.name, "numpy"))
    for step in range(8):
        rows, noise = RNG.integers(0, 40, 10), RNG.standard_normal((1, 10, 3)).astype(dtype)
        np.testing.assert_allclose(found(rows, noise), expected(rows, noise), rtol=1e-4, err_msg=f"step {step}")
    assert cuda.launches == 2 * 6  # of what must run, and of the loss, which is read
    for name, value in expected.model.state_dict().items():
        np.testing.assert_allclose(found.model.state_dict()[name], value, rtol=1e-3, atol=1e-3)


# ------------------------------------------------------- what is captured


def _convolved(x, **more):
    """Images of x, and derivatives by them and by kernels of x, of all three primitives, in one sum."""
    images, groups = ad.reshape(ad.concatenate([x, ad.sin(x)], 0)[:9], 1, 4, 3, 3), more.get("groups", 1)
    kernel = ad.reshape(ad.concatenate([x] * 8, 0)[: 36 // groups], 4, 4 // groups, 3, 3) * 0.1
    y, back = ad.vjp(lambda *given: ad.square(ad.conv2d(*given, **more)), images, kernel)
    z, there = ad.vjp(lambda *given: ad.square(ad.conv_transpose2d(*given, **more)), images, kernel)
    return sum((ad.sum(g) for g in (*back(y), *there(z))), ad.sum(y * 0.5)) * 0.01


STEPS = {
    "gather of bytes": lambda x, rows: ad.astype(ad.take(ad.astype(ad.square(x) * 9, "uint8"), rows, 0), "float32"),
    "gather": lambda x, rows: ad.take(ad.exp(x), rows, 0),
    "put back": lambda x, rows: ad.vjp(lambda x: ad.take(x, rows, 0), x)[1](ad.exp(x))[0],
    "products": lambda x, rows: (x @ ad.transpose(x)) @ ad.take(x, rows, 0) * 0.1,
    "batched product": lambda x, rows: ad.reshape(x, 5, 2, 2) @ ad.reshape(ad.exp(x), 5, 2, 2),
    "broadcast product": lambda x, rows: ad.reshape(x, 5, 2, 2) @ ad.reshape(x[0], 2, 2),
    "product of a strided view": lambda x, rows: x[:, ::2] @ ad.transpose(x[::-1, ::2]),
    "product of a repeated row": lambda x, rows: ad.broadcast_to(x[0], (3, 4)) @ ad.transpose(x),
    "sum of all": lambda x, rows: ad.sum(x),
    "sum over rows": lambda x, rows: ad.sum(x, 0),
    "sum over columns": lambda x, rows: ad.sum(x, 1, keepdims=True),
    "sum of a view": lambda x, rows: ad.sum(ad.transpose(x)[1:], 0),
    "extremes": lambda x, rows: ad.max(x, 0) - ad.min(x, 0),
    "logsumexp": lambda x, rows: ad.logsumexp(x, 1),
    "softmax": lambda x, rows: ad.softmax(x),
    "join": lambda x, rows: ad.concatenate([x, ad.take(x, rows, 0)]),
    "join columns": lambda x, rows: ad.concatenate([x, ad.exp(x), ad.transpose(x[:4, :])[:1, :3] * x[:, :1]], 1),
    "join vectors": lambda x, rows: ad.concatenate([x[0], ad.exp(x[:, 1])]),
    "pad": lambda x, rows: ad.pad(x, [(1, 0), (0, 2)]),
    "slices": lambda x, rows: x[1:, ::2] * 2 + x[:-1, 1::2],
    "no elements": lambda x, rows: ad.sum(ad.exp(x[:0]) @ ad.transpose(x), 0),
    "gammaln": lambda x, rows: ad.gammaln(ad.square(x) + 1) * 2,
    "digamma": lambda x, rows: ad.digamma(ad.square(x) + 1),
    "half precision": lambda x, rows: ad.astype(ad.astype(x, "float16") * 2, "float32"),
    "double precision": lambda x, rows: ad.astype(
        ad.astype(x, "float64") @ ad.astype(ad.transpose(x), "float64"), "float32"
    ),
    **{
        f"convolution of {name}": lambda x, rows, more=more: _convolved(x, **more)
        for name, more in {
            "images": {"padding": 1},
            "steps of 2": {"padding": 1, "stride": 2},
            "two groups": {"groups": 2},
            "each channel": {"groups": 4, "padding": 1},
        }.items()
    },
    "whole numbers": lambda x, rows: ad.astype(rows * 2 + 1, "float32"),
}


@pytest.mark.parametrize("name", STEPS)
def test_it_is_captured_and_right(cuda, name, caplog):
    rows = np.array([4, 0, 0, 2, 1])
    cuda.assert_runs(kept(STEPS[name]), X, rows)
    assert not caplog.records


@pytest.mark.parametrize("name", [name for name, row in PRIMITIVES.items() if isinstance(row.value, Formula)])
def test_every_element_wise_primitive(cuda, name):
    arguments = PRIMITIVES[name].value.arguments

    def step(x):
        x = ad.square(x) + 0.5
        if name in ("arcsin", "arccos", "arctanh", "erfinv"):
            x = x / (x + 1.0)  # in their domain
        if name == "arccosh":
            x = x + 0.6
        given = {"condition": x > 1, "low": 0.7, "high": 2.0, "b": ad.transpose(ad.transpose(x)[::-1])}
        return ad.astype(ad.apply(PRIMITIVES[name], *(given.get(a, x) for a in arguments)), "float32")

    cuda.assert_runs(kept(step), X)


# ------------------------------------------------------- kernels and sums


@pytest.fixture
def sums(monkeypatch):
    """The names of the kernels whose result is summed as it is computed."""
    made, make = [], replay_cupy.mapped_sum

    def noting(xp, kernel, call, arena):
        made.append([one.primitive.name for one in kernel.calls])
        return make(xp, kernel, call, arena)

    monkeypatch.setattr(replay_cupy, "mapped_sum", noting)
    return made


@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 1)])
@pytest.mark.parametrize("keepdims", [False, True])
def test_a_chain_that_only_a_sum_reads_is_summed_as_it_is_computed(cuda, axis, keepdims, sums):
    cuda.assert_runs(kept(lambda x, w: ad.sum(ad.exp(x) * w, axis, keepdims)), X, X + 1)
    assert sums == [["exp", "multiply"]]


@pytest.mark.parametrize("axis", [1, 2, (0, 1)])
def test_axes_of_a_sum_count_as_in_the_terms_also_where_all_operands_have_fewer(cuda, axis, sums):
    cuda.assert_runs(kept(lambda x: ad.sum(ad.exp(ad.reshape(x * 2, 1, 5, 4)), axis)), X)
    assert sums == [["multiply", "exp"]]


@pytest.mark.parametrize("keepdims", [False, True])
def test_a_sum_over_one_sample_takes_no_kernel_and_its_axis_no_place_in_the_next_sum(cuda, keepdims, sums):
    """As in a bound: the mean over samples, of which there is one, and then over the batch."""
    cuda.assert_runs(kept(lambda x: ad.sum(ad.sum(ad.reshape(x, 1, 5, 4), 0) * 2, 1, keepdims)), X)
    assert sums == [["sum_of_one", "multiply"]]


@pytest.mark.parametrize(
    "step",
    [
        lambda x: (lambda y: ad.sum(y, 0) + ad.max(y, 0))(ad.exp(x)),  # read by another, too
        lambda x: ad.sum(ad.transpose(ad.exp(x)), 0),  # through a view
        lambda x: ad.sum(ad.astype(ad.astype(x > 0, "int32"), "int32"), 0),  # not floating point
        lambda x: ad.sum(ad.exp(x) * x[0], 1),  # of a row for all, whose places would be found by divisions
    ],
)
def test_other_sums_are_the_librarys(cuda, step, sums):
    cuda.assert_runs(kept(step), X)
    assert not sums


@pytest.mark.parametrize("terms", [lambda x: x, ad.exp, lambda x: ad.exp(x) * x])
def test_a_sum_lies_as_it_was_recorded_whatever_the_order_of_its_terms(cuda, terms):
    """CUB, to which CuPy (14.2) gives a reduction of one input of 128 elements, would rewrite the sum's strides."""
    x, w = RNG.standard_normal((3, 2, 200)).astype("float32"), RNG.standard_normal(6).astype("float32")
    cuda.assert_runs(kept(lambda x, w: ad.reshape(ad.sum(terms(ad.transpose(x)), 0), 6) * w), x, w, atol=1e-3)
    cuda.assert_runs(kept(lambda x, w: ad.reshape(ad.max(terms(ad.transpose(x)), 0), 6) * w), x, w)


def test_a_sum_does_not_overwrite_what_it_still_reads(cuda):
    """The result of the sum may lie where the terms' operands lay: it is born when they have died."""

    def step(x):
        terms = ad.exp(ad.max(x, 0, keepdims=True) - ad.max(x, 1, keepdims=True))
        return ad.max(ad.sum(terms, 1)) * 2

    cuda.assert_runs(kept(step), X)


@pytest.mark.parametrize("count", [20, 130])
def test_a_kernel_of_more_arrays_than_cuda_takes_is_run_function_by_function(cuda, count):
    inputs = [np.full((2, 3), i, "float32") for i in range(count)]
    cuda.assert_runs(lambda *inputs: sum(inputs[1:], inputs[0]) * 2, *inputs)
