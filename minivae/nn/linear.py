"""The affine layer."""

from __future__ import annotations

from typing import Any

from .. import autodiff, backend
from ..autodiff import Parameter, Tensor
from ..autodiff.arguments import shaped
from ..errors import one_of, positive_integer
from ..memory import memory_for
from .init import INITIALIZERS
from .module import Module


class Linear(Module):
    """x -> x W + b, over the last axis.

    Args:
        inputs, outputs: lengths of the last axis before and after.
        generator: draws the initial values. They are drawn where the generator lives
            and then moved, so that one seed gives the same model on every library.
        init: one of ``INITIALIZERS``: "glorot", "he", "paper".
        dtype: float32 (default) or float64.
        library: where the parameters live; the default backend if None.

    Attributes:
        weight: ``(inputs, outputs)``.
        bias: ``(outputs,)``.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        generator: backend.Generator,
        *,
        init: str = "glorot",
        dtype: Any = None,
        library: str | None = None,
    ) -> None:
        initializer = INITIALIZERS[one_of("init", init, INITIALIZERS)]
        sizes = positive_integer("inputs", inputs), positive_integer("outputs", outputs)
        backend.require_generator("generator", generator)
        with memory_for(f"a layer of {inputs} inputs and {outputs} outputs", generator.library):
            weight, bias = initializer(generator, *sizes, backend.float_dtype(dtype))
            if inputs < outputs:  # in memory as its gradient comes, so that an optimizer reads both straight on
                weight = weight.T.copy().T
        where = backend.library(library).name
        self.weight = Parameter(backend.asarray(weight, backend=where))
        self.bias = Parameter(backend.asarray(bias, backend=where))

    def __call__(self, x: Any, name: str = "x") -> Tensor:
        """``(..., inputs) -> (..., outputs)``; ``name`` is what messages call ``x``.

        Raises:
            InputError: the last axis of ``x`` has another length.
        """
        return autodiff.linear(shaped(name, x, self.weight, ..., self.weight.shape[0]), self.weight, self.bias)
