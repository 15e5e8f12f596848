"""The affine layer."""

from __future__ import annotations

from typing import Any

from .. import autodiff
from ..autodiff import Parameter, Tensor
from ..autodiff.arguments import shaped
from ..backend import Generator, asarray, float_dtype, get_backend, require_generator
from ..backend.memory import memory_for
from ..checks import one_of, positive_integer
from .init import INITIALIZERS
from .module import Module


class Linear(Module):
    """x -> x W + b, over the last axis.

    Args:
        inputs, outputs: lengths of the last axis before and after.
        generator: draws the initial values. They are drawn where the generator lives
            and then moved, so that one seed gives the same model on every backend.
        init: one of ``INITIALIZERS``: "glorot", "he", "paper".
        dtype: float32 (default) or float64.
        backend: where the parameters live; the default backend if None.

    Attributes:
        weight: ``(inputs, outputs)``.
        bias: ``(outputs,)``.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        generator: Generator,
        *,
        init: str = "glorot",
        dtype: Any = None,
        backend: str | None = None,
    ) -> None:
        initializer = INITIALIZERS[one_of("init", init, INITIALIZERS)]
        sizes = positive_integer("inputs", inputs), positive_integer("outputs", outputs)
        require_generator("generator", generator)
        with memory_for(f"a layer of {inputs} inputs and {outputs} outputs", generator.backend):
            weight, bias = initializer(generator, *sizes, float_dtype(dtype))
            if inputs < outputs:  # in memory as its gradient comes, so that an optimizer reads both straight on
                weight = weight.T.copy().T
        where = get_backend(backend).name
        self.weight = Parameter(asarray(weight, backend=where))
        self.bias = Parameter(asarray(bias, backend=where))

    def __call__(self, x: Any) -> Tensor:
        """``(..., inputs) -> (..., outputs)``.

        Raises:
            InputError: the last axis of ``x`` has another length.
        """
        return autodiff.linear(shaped("x", x, self.weight, ..., self.weight.shape[0]), self.weight, self.bias)
