"""Programs on CUDA: each kernel one generated CUDA kernel, and the whole one CUDA graph.

The C text comes from :mod:`.source`, products go to cuBLAS by :mod:`.cuda_blas`, and
:mod:`.graph` captures and launches. What has no translation here runs as on any other
array library, by the function of that name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from operator import setitem
from typing import Any

from ...errors import BackendError
from .. import numpy as replay_numpy
from ..analysis import Call, Recorded, overlap
from ..fuse import Kernel
from ..memory import Arena
from . import source as cuda_source
from .blas import Blas, current_blas, gemms, layout, suits
from .graph import Recorder, Replay

Plain = Callable[[Call], list[Callable[[], Any]]]


class Device:
    """Prepares the parts of one program for CuPy.

    Args:
        xp: CuPy.
        recorded: the calls.
        arena: where values lie.
        plain: prepares a call as on any array library.
    """

    def __init__(self, xp: Any, recorded: Recorded, arena: Arena, plain: Plain) -> None:
        self._xp, self._recorded, self._arena, self._plain = xp, recorded, arena, plain
        self._blas: list[Blas] = []  # the handle, once a product needs it
        self._recorder = Recorder(xp, partial(_use, self._blas))  # not self, which holds what was recorded

    def replay(self, items: Sequence[Kernel | Call]) -> Replay:
        """What runs the items, each time that it is called."""
        return Replay(self._recorder, [call for item in self._sums_joined(items) for call in self._prepare(item)])

    def _prepare(self, item: Kernel | Call | tuple[Kernel, Call]) -> list[Callable[[], Any]]:
        if isinstance(item, Kernel):
            if not cuda_source.translatable(item):
                return replay_numpy.prepare(item, self._arena)
            return [elementwise(self._xp, item, self._arena)]
        if not isinstance(item, Call):
            return [mapped_sum(self._xp, *item, self._arena)]
        if item.primitive.kind == "product":
            return self._product(item)
        if item.primitive.kind == "assignment":  # (copyto would copy overlapping memory as it finds it)
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

    # ------------------------------------------------------------------ sums

    def _sums_joined(self, items: Sequence[Kernel | Call]) -> Iterator[Kernel | Call | tuple[Kernel, Call]]:
        """The items; a kernel whose one result only the sum after it reads comes together with that sum."""
        pending = list(items)
        while pending:
            item = pending.pop(0)
            if pending and isinstance(item, Kernel) and self._only_summed(item, pending[0]):
                yield item, pending.pop(0)
            else:
                yield item

    def _only_summed(self, kernel: Kernel, item: Kernel | Call) -> bool:
        if not isinstance(item, Call) or item.primitive.combine != "add" or not item.attributes["axis"]:
            return False
        terms = kernel.operations[-1].store
        if item.inputs[0] is not terms or terms.dtype.kind != "f" or id(terms) in self._recorded.placed:
            return False
        if len(_stores(kernel)) != 1 or terms.shape != kernel.shape or not cuda_source.translatable(kernel):
            return False
        # The sum may have been given the place of what the kernel was the last to read.
        total = self._arena.place(item.output)
        if any(overlap(self._arena.place(x), total) for x in kernel.loads):
            return False
        needed = (self._recorded.calls[n] for n in (*self._recorded.main, *self._recorded.late))
        read = [*self._recorded.outputs, *(x for call in needed if call is not item for x in call.arrays)]
        return id(terms) not in self._recorded.roots(read)

    # -------------------------------------------------------------- products

    def _has_blas(self) -> bool:
        try:
            if not self._blas:
                self._blas.append(current_blas(self._xp))
        except BackendError as error:
            self._recorder.give_up(error)
        return bool(self._blas)

    def _product(self, call: Call) -> list[Callable[[], Any]]:
        """A matrix product by cuBLAS, with copies where it cannot read or write the layout."""
        a, b, out = (self._arena.place(x) for x in (*call.inputs, call.output))
        if not suits(a, b, out) or not self._has_blas():
            return self._plain(call)
        places = [x if layout(x) is not None else self._xp.empty(x.shape, x.dtype) for x in (a, b, out)]
        copies = [
            partial(self._xp.copyto, place, x) for place, x in zip(places[:2], (a, b), strict=True) if place is not x
        ]
        products = [self._blas[0].prepare(gemm) for gemm in gemms(*places)]
        return [*copies, *products, *([] if places[2] is out else [partial(self._xp.copyto, out, places[2])])]


def _use(handles: Sequence[Blas], stream: Any) -> None:
    for handle in handles:
        handle.use(stream)


def elementwise(xp: Any, kernel: Kernel, arena: Arena) -> Callable[[], Any]:
    """A kernel as one CUDA kernel, with its arrays."""
    source = cuda_source.elementwise(kernel)
    function = xp.ElementwiseKernel(source.inputs, source.outputs, source.body, source.name, no_return=True)
    stores = (arena.place_with(x, len(kernel.shape)) for x in _stores(kernel))
    return partial(function, *(arena.place(x) for x in kernel.loads), *stores)


def mapped_sum(xp: Any, kernel: Kernel, call: Call, arena: Arena) -> Callable[[], Any]:
    """A kernel and the sum of its result as one CUDA kernel, with its arrays."""
    source = cuda_source.mapped_sum(kernel)
    function = xp.ReductionKernel(
        source.inputs,
        source.outputs,
        source.value,
        reduce_expr="a + b",
        post_map_expr="y0 = a",
        identity="0",
        name=source.name,
        reduce_type=source.type,
        preamble=source.preamble,
    )
    terms = (arena.place_with(x, len(kernel.shape)) for x in kernel.loads)  # so that axes count alike
    return partial(function, *terms, arena.place(call.output), **call.attributes)


def _stores(kernel: Kernel) -> list[Any]:
    return [operation.store for operation in kernel.operations if operation.store is not None]
