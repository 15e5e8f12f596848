"""Parameters end to end in one vector, so that an optimizer's rule runs once, over all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Any, NamedTuple
from weakref import finalize

from .. import backend
from ..autodiff import Parameter, Tensor, concatenate, reshape, transpose
from ..autodiff.modes import set_mode
from ..checks import instance, sequence
from ..errors import InputError


class Segment(NamedTuple):
    """Where the array of a parameter lies: ``view`` is ``vector`` from ``start`` on."""

    vector: Any
    start: int
    view: Any


# Where arrays of living parameters lie, by the parameter's id.
_segments: dict[int, Segment] = {}


def _put(p: Parameter, segment: Segment) -> None:
    if id(p) not in _segments:
        finalize(p, _segments.pop, id(p), None)
    p.data, _segments[id(p)] = segment.view, segment


class Flat:
    """One vector that holds all elements of the parameters, whose arrays become views of it.

    Each keeps its order in memory: by rows (C) or by columns (Fortran). Parameters that lie
    end to end already, where another optimizer has put them, stay.

    Args:
        parameters: of one dtype and backend, in a fixed order.

    Raises:
        InputError: there are none, one comes twice, or dtypes or backends differ.
    """

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        self.parameters = list(sequence("parameters", parameters, "a list of Parameters"))
        for i, p in enumerate(self.parameters):
            instance(f"parameters[{i}]", p, Parameter, "a Parameter")
        if not self.parameters:
            raise InputError("parameters is empty; expected at least one to train")
        if len({id(p) for p in self.parameters}) < len(self.parameters):
            raise InputError("parameters names one parameter twice; expected each once")
        kinds = sorted({f"{p.dtype} on {backend.backend_of(p.data).name}" for p in self.parameters})
        if len(kinds) > 1:
            raise InputError(f"parameters are {' and '.join(kinds)}; expected one dtype on one backend")
        # Gradients and moments are kept in this order, so a parameter that is given another array keeps it, too.
        self._by_columns = [_is_fortran(p) for p in self.parameters]
        self._vector = Parameter(None)
        self._lay_out()

    @property
    def vector(self) -> Parameter:
        """All elements, ``(total,)``, shared with the parameters, also when they have been moved."""
        if any(p.data is not view for p, view in zip(self.parameters, self._views, strict=True)):
            self._lay_out()
        return self._vector

    def parts(self, vector: Any) -> Iterator[Any]:
        """Views of an array as long as the vector: one for each parameter, of its shape."""
        stops = accumulate(p.size for p in self.parameters)
        for p, by_columns, stop in zip(self.parameters, self._by_columns, stops, strict=True):
            part = vector[stop - p.size : stop]
            yield part.reshape(p.shape[::-1]).T if by_columns else part.reshape(p.shape)

    def _lay_out(self) -> None:
        if not self._end_to_end():
            with set_mode(tracer=None, hooks=(), taping=False):  # no part of a step that is recorded meanwhile
                vector, start = self._joined().data, 0
            for p, view in zip(self.parameters, self.parts(vector), strict=True):
                _put(p, Segment(vector, start, view))
                start += p.size
        self._views = [p.data for p in self.parameters]
        first, last = (_segments[id(p)] for p in (self.parameters[0], self.parameters[-1]))
        self._vector.data = first.vector[first.start : last.start + last.view.size]

    def _joined(self) -> Tensor:
        pairs = zip(self.parameters, self._by_columns, strict=True)
        return concatenate([reshape(transpose(p.detach()) if f else p.detach(), -1) for p, f in pairs])

    def _end_to_end(self) -> bool:
        if [_is_fortran(p) for p in self.parameters] != self._by_columns:
            return False
        segments = [segment for p in self.parameters if (segment := _segments.get(id(p))) and segment.view is p.data]
        if len(segments) < len(self.parameters):
            return False
        return all(b.vector is a.vector and b.start == a.start + a.view.size for a, b in pairwise(segments))


def _is_fortran(p: Parameter) -> bool:
    return p.data.flags.f_contiguous and not p.data.flags.c_contiguous
