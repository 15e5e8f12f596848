"""Programs on CUDA: each kernel one generated CUDA kernel, and the whole one CUDA graph.

The C text comes from :mod:`.source` and :mod:`.grid`, products go to cuBLAS by :mod:`.blas`, and
:mod:`.graph` captures and launches. What has no translation here runs as on any other
backend, by the function of that name.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from math import prod
from operator import setitem
from typing import Any, NamedTuple

import numpy as np

from ...errors import BackendError
from .. import numpy as blocks
from ..analysis import Call, Trace
from ..fuse import Kernel
from ..memory import Arena
from ..regions import meet
from . import source
from .blas import Blas, are_one_call, current_blas, gemms, layout, suits
from .graph import Recorder, Replay
from .grid import grid_of, text
from .pairs import Pair, sums_rows

Plain = Callable[[Call], list[Callable[[], Any]]]
Item = Any  # a Kernel, a Call, a MappedSum or a Pair


# A product and a sum are rounded each, as the backend's own functions do it: a recorded step then
# gives the bits of the step itself.
OPTIONS = ("--fmad=false",)


class MappedSum(NamedTuple):
    """A kernel whose one result only a sum reads, and that sum: what lies between needs no memory."""

    kernel: Kernel
    sum: Call

    @property
    def arrays(self) -> list[Any]:
        """The arrays that are read."""
        return self.kernel.loads

    @property
    def makes(self) -> list[Any]:
        """The array that is computed."""
        return [self.sum.output]

    @property
    def calls(self) -> list[Call]:
        """What it does, one by one."""
        return [*self.kernel.calls, self.sum]


def join_sums(trace: Trace, items: Sequence[Kernel | Call]) -> Iterator[Kernel | Call | MappedSum]:
    """The items of a program; where only the sum after a kernel reads its one result, the two together."""
    pending = deque(items)
    while pending:
        item = pending.popleft()
        following = pending[0] if pending else None
        if isinstance(item, Kernel) and isinstance(following, Call) and _only_summed(trace, item, following):
            yield MappedSum(item, following)
            pending.popleft()
        else:
            yield item


def _only_summed(trace: Trace, kernel: Kernel, item: Call) -> bool:
    if item.primitive.combine != "add" or not item.attributes["axis"]:
        return False
    terms = kernel.operations[-1].store
    if item.inputs[0] is not terms or terms.dtype.kind != "f" or len(kernel.makes) != 1:
        return False
    if id(terms) in trace.placed or any(meet(trace.cells(x), trace.cells(item.output)) for x in kernel.loads):
        return False
    if any(x.size != prod(kernel.shape) for x in kernel.loads):  # CuPy would find a broadcast one's place by divisions
        return False
    longer = kernel.shape[: len(kernel.shape) - terms.ndim]  # axes of length 1, of which others had more
    if (*longer, *terms.shape) != kernel.shape or not source.translatable(kernel):
        return False
    return id(terms) not in trace.returned and len(trace.readers[id(terms)]) == 1


class Device:
    """Prepares the parts of one program for CuPy.

    Args:
        xp: CuPy.
        arena: where values lie.
        plain: prepares a call as on any backend.
    """

    def __init__(self, xp: Any, arena: Arena, plain: Plain) -> None:
        self._xp, self._arena, self._plain = xp, arena, plain
        self._blas: list[Blas] = []  # the handle, once a product needs it
        self._recorder = Recorder(xp, partial(_use, self._blas))  # not self, which holds what was recorded
        self._ones: dict[tuple[int, np.dtype], Any] = {}

    def replay(self, items: Sequence[Item]) -> Replay:
        """What runs the items, each time that it is called."""
        return Replay(self._recorder, [call for item in items for call in self._prepare(item)])

    def _prepare(self, item: Item) -> list[Callable[[], Any]]:
        if isinstance(item, Kernel):
            if not source.translatable(item):
                return blocks.prepare(item, self._arena)
            return self._elementwise(item)
        if isinstance(item, MappedSum):
            return [mapped_sum(self._xp, item.kernel, item.sum, self._arena)]
        if isinstance(item, Pair):
            return self._pair(item)
        if item.primitive.kind == "product" or (sums_rows(item) and self._is_matrix(item)):
            return self._product(item)
        if item.primitive.kind == "conv":
            return [self._convolution(item)]
        if item.assigns:  # (copyto would copy overlapping memory as it finds it)
            target, value = (self._arena.place(x) for x in item.inputs)
            return [partial(setitem, target, ..., value)]
        if item.primitive.kind == "join":
            return list(self._joined(item))
        return self._plain(item)

    def _joined(self, call: Call) -> Iterator[Callable[[], Any]]:
        """One copy for each input; CuPy's own way sends their addresses from the host."""
        out, head, start = self._arena.place(call.output), (slice(None),) * call.attributes["axis"], 0
        for x in call.inputs:
            stop = start + x.shape[len(head)]
            yield partial(self._xp.copyto, out[(*head, slice(start, stop))], self._arena.place(x))
            start = stop

    def _elementwise(self, kernel: Kernel) -> list[Callable[[], Any]]:
        """A kernel as one CUDA kernel, with its arrays."""
        if 0 in kernel.shape:
            return []
        arrays = [self._arena.place(x) for x in kernel.loads]
        arrays += [self._arena.place_with(x, len(kernel.shape)) for x in kernel.makes]
        made, grid = source.elementwise(kernel), grid_of(kernel.shape, arrays)
        function = self._xp.RawKernel(text(made, grid), made.name, OPTIONS)
        return [partial(function, *grid.launch(), (*arrays, *map(np.int64, grid.numbers)))]

    # -------------------------------------------------------------- products

    def _has_blas(self) -> bool:
        try:
            if not self._blas:
                self._blas.append(current_blas(self._xp))
        except BackendError as error:
            self._recorder.give_up(error)
        return bool(self._blas)

    def _is_matrix(self, call: Call) -> bool:
        """Whether what is summed lies so that all axes but the last are one."""
        terms = self._arena.place(call.inputs[0])
        return terms.flags.c_contiguous or (terms.ndim == 2 and layout(terms) is not None)

    def _operands(self, call: Call) -> list[Any]:
        """The factors and the result of a product; a sum of rows is that of a row of ones with them."""
        if not sums_rows(call):
            return [self._arena.place(x) for x in (*call.inputs, call.output)]
        terms, out = (self._arena.place(x) for x in (call.inputs[0], call.output))
        terms = terms if terms.ndim == 2 else terms.reshape(-1, terms.shape[-1])
        key = len(terms), terms.dtype
        if key not in self._ones:
            self._ones[key] = self._xp.ones((1, key[0]), dtype=key[1])
        return [self._ones[key], terms, out.reshape(1, -1)]

    def _product(self, call: Call) -> list[Callable[[], Any]]:
        """A matrix product by cuBLAS, with copies where it cannot read or write the layout."""
        return self._gemms(*self._operands(call)) or self._plain(call)

    def _gemms(self, a: Any, b: Any, out: Any) -> list[Callable[[], Any]]:
        """The calls that write ``a @ b`` to ``out``; none where it is no product for cuBLAS."""
        if not suits(a, b, out) or not self._has_blas():
            return []
        places = [x if layout(x) is not None else self._xp.empty(x.shape, x.dtype) for x in (a, b, out)]
        copies = [
            partial(self._xp.copyto, place, x) for place, x in zip(places[:2], (a, b), strict=True) if place is not x
        ]
        products = [self._blas[0].prepare(gemm) for gemm in gemms(*places)]
        return [*copies, *products, *([] if places[2] is out else [partial(self._xp.copyto, out, places[2])])]

    def _convolution(self, call: Call) -> Callable[[], Any]:
        """A convolution as on any backend, with products that can be captured."""
        self._has_blas()  # before it runs: the handle is told its stream then
        arrays = [self._arena.place(x) for x in (*call.inputs, call.output)]
        value = partial(call.primitive.value, Captured(self._xp, self._gemms), *arrays[:-1], **call.attributes)
        return partial(value, out=arrays[-1])

    def _pair(self, pair_of: Pair) -> list[Callable[[], Any]]:
        """Two products in one call of cuBLAS."""
        places = [self._operands(call) for call in pair_of]
        if self._has_blas() and all(layout(x) is not None for some in places for x in some):
            both = [gemms(*some)[0] for some in places]
            if are_one_call(*both):
                return [self._blas[0].prepare(*both)]
        return [run for call in pair_of for run in self._product(call)]


class Captured:
    """CuPy's functions, with matrix products by a handle of our own.

    Args:
        xp: CuPy.
        gemms: the calls that write a product to an array; none where it is no product for cuBLAS.
    """

    def __init__(self, xp: Any, gemms: Callable[[Any, Any, Any], list[Callable[[], Any]]]) -> None:
        self._xp, self._gemms = xp, gemms

    def __getattr__(self, name: str) -> Any:
        return getattr(self._xp, name)

    def matmul(self, a: Any, b: Any, out: Any = None) -> Any:
        """``a @ b``."""
        if out is None:
            out = self._xp.empty((*a.shape[:-1], b.shape[-1]), self._xp.result_type(a, b))
        calls = self._gemms(a, b, out)
        for call in calls:
            call()
        return out if calls else self._xp.matmul(a, b, out=out)


def _use(handles: Sequence[Blas], stream: Any) -> None:
    for handle in handles:
        handle.use(stream)


def mapped_sum(xp: Any, kernel: Kernel, call: Call, arena: Arena) -> Callable[[], Any]:
    """A kernel and the sum of its result as one CUDA kernel, with its arrays."""
    text = source.mapped_sum(kernel)
    function = xp.ReductionKernel(
        text.inputs,
        text.outputs,
        text.value,
        reduce_expr="a + b",
        post_map_expr="y0 = a",
        identity="0",
        name=text.name,
        reduce_type=text.type,
        preamble=text.preamble,
        options=OPTIONS,
    )
    terms = [arena.place_with(x, call.inputs[0].ndim) for x in kernel.loads]  # so that axes count alike
    terms += terms[: len(text.inputs.split(", ")) - len(terms)]  # one input comes twice, see there
    return partial(function, *terms, arena.place(call.output), **call.attributes)
