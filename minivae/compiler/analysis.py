"""What a list of recorded calls means: which arrays are made, viewed, constant, or changed.

A call of ``assign`` makes a new *version* of its target: whoever reads the target, or a view
of it, reads the version of that place in the list. What is computed here holds for memory, not
for recorded arrays: a value that is only assigned is computed in its target's memory at once
(it is *placed* there), and from then on whoever reads the value reads the target.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from .. import backend
from ..autodiff.formula import Formula
from ..autodiff.primitives import Primitive
from ..errors import InputError
from .regions import NOWHERE, Geometry, Regions, bounds_of, geometry_of


class Call(NamedTuple):
    """One recorded call of ``apply``: arrays or Python numbers in, an array out."""

    primitive: Primitive
    inputs: tuple[Any, ...]
    attributes: dict[str, Any]
    output: Any

    @property
    def arrays(self) -> list[Any]:
        """The inputs that are arrays."""
        return [x for x in self.inputs if not isinstance(x, float | int)]

    @property
    def read(self) -> list[Any]:
        """The arrays whose values it reads: all but the target of an assignment."""
        return self.arrays[self.assigns :]

    @property
    def makes(self) -> list[Any]:
        """The arrays that it computes: none, of an assignment."""
        return [] if self.assigns else [self.output]

    @property
    def calls(self) -> list[Call]:
        """Itself: so much a kernel has several of."""
        return [self]

    @property
    def assigns(self) -> bool:
        """Whether it is an assignment: of its second input to its first."""
        return self.primitive.kind == "assignment"

    @property
    def formula(self) -> Formula | None:
        """What an element-wise call computes; None for other calls."""
        return self.primitive.formula


class Trace:
    """What ``compile`` records of a step: its calls, and what is known of them.

    Arrays are told apart by identity: the trace holds them, so an id stays its own.

    Args:
        calls: in the order in which they ran.
        outputs: arrays that the step returned.

    Attributes:
        calls: as given, with reads of an assigned target replaced by the value assigned.
        made: for the id of each array that a call makes in memory of its own, that call's number.
        views: for the id of each view of such an array, the number of the call that viewed it.
        readers: for the id of each made array, the numbers of the needed calls that read it or a view of it.
        returned: the ids of the made arrays among and under the outputs.
        targets: arrays that are assigned.
        placed: for the id of a made array that is computed in place, the target (:mod:`.placement`).
        main: numbers of the calls to run at each replay, in order.
        late: numbers of the calls that only returned values need.
    """

    def __init__(self, calls: Sequence[Call], outputs: Sequence[Any]) -> None:
        self.calls, self.outputs = list(calls), list(outputs)
        self.made: dict[int, int] = {}
        self.views: dict[int, int] = {}
        self.placed: dict[int, Any] = {}
        self._roots: dict[int, int] = {}  # for the id of a made array or a view, that of the made array
        self._constants: set[int] = set()
        self._uniform: dict[int, Any] = {}  # for the id of a constant that is one number everywhere, that number
        self.targets = [call.inputs[0] for call in self.calls if call.assigns]
        self._regions = Regions(self.targets)
        for number, call in enumerate(self.calls):
            self._classify(number, call)
            if call.formula and id(call.output) in self.made:
                self.calls[number] = call._replace(inputs=self._with_numbers(call))
        self.returned = self.roots(self.outputs)
        self.main, self.late = self._needed()
        self.readers: dict[int, list[int]] = defaultdict(list)
        for number in (*self.main, *self.late):
            for root in self.roots(self.calls[number].arrays):
                self.readers[root].append(number)

    # ------------------------------------------------------------ 1. kinds

    def _classify(self, number: int, call: Call) -> None:
        output, kind = call.output, call.primitive.kind
        if any(self.root(x) or self.cells(x) for value in call.attributes.values() for x in _arrays_in(value)):
            raise InputError("a compiled step indexes by an array that it computes; use take() instead of []")
        if call.assigns or any(output is x for x in call.arrays):
            return  # writes into, or is, an array that is known already
        if kind != "draw" and not self.cells(output) and all(id(x) in self._constants for x in call.arrays):
            self._constants.add(id(output))
            self._note_uniform(call)
        elif kind == "view" and overlap(output, call.arrays[0]):
            root = self.root(call.arrays[0])
            if root:
                self.views[id(output)], self._roots[id(output)] = number, root
        else:
            self.made[id(output)], self._roots[id(output)] = number, id(output)

    def _with_numbers(self, call: Call) -> tuple[Any, ...]:
        """The inputs of an element-wise call, one number for each array that is that number everywhere.

        A number is broadcast as the array was. One array stays, so that the dtype does.
        """
        if all(id(x) in self._uniform for x in call.arrays):
            return call.inputs
        return tuple(self._uniform.get(id(x), x) for x in call.inputs)

    def _note_uniform(self, call: Call) -> None:
        kind, output = call.primitive.kind, call.output
        each = (call.formula or kind == "view") and all(id(x) in self._uniform for x in call.arrays)
        if output.size and ((kind == "constant" and "value" in call.attributes) or each):
            number = output[(*(slice(1),) * output.ndim, ...)].reshape(())
            self._uniform[id(output)] = number
            self._constants.add(id(number))

    def root(self, array: Any) -> int:
        """The id of the made array that ``array`` is or views; 0 if it comes from outside."""
        return self._roots.get(id(array), 0)

    def roots(self, arrays: Iterable[Any]) -> set[int]:
        """The ids of the made arrays among and under ``arrays``."""
        return {root for root in map(self.root, arrays) if root}

    # ----------------------------------------------------------- 2. memory

    def cells(self, array: Any) -> range:
        """The cells of assigned memory that an array touches; of one that is placed, those of its target."""
        return self._regions.cells(self.placed.get(self.root(array), array))

    def written(self, number: int) -> tuple[Any, range]:
        """The array that a call writes, if any, and its cells."""
        call = self.calls[number]
        array = call.inputs[0] if call.assigns else call.output
        return (array, self.cells(array)) if call.assigns or id(array) in self.made else (None, NOWHERE)

    def geometry(self, array: Any) -> Geometry:
        """How an array lies in the memory in which it is computed."""
        root = self.root(array)
        if root not in self.placed:
            return geometry_of(array)
        made = self.calls[self.made[root]].output
        if array is made:
            return geometry_of(self.placed[root])
        return geometry_of(array, bounds_of(self.placed[root])[0] - bounds_of(made)[0])

    def is_outside(self, array: Any) -> bool:
        """Whether an array is neither computed in the step nor a constant."""
        return not self.root(array) and id(array) not in self._constants

    # --------------------------------------------------------- 3. liveness

    def _needed(self) -> tuple[list[int], list[int]]:
        """The calls that change something or draw noise with all they need, and those only outputs need."""
        effects = {n for n, call in enumerate(self.calls) if call.assigns or call.primitive.kind == "draw"}
        main = self._closure(effects)
        late = self._closure({self.made[root] for root in self.returned})
        # A late call may not read what the step, or others after it, have changed by then.
        stale = {n for n in late for x in self.calls[n].arrays if self.is_outside(x) or self.cells(x)}
        main |= self._closure(stale)
        return sorted(main), sorted(late - main)

    def _closure(self, numbers: set[int]) -> set[int]:
        """The calls ``numbers`` and every call that makes something they read."""
        found: set[int] = set()
        pending = list(numbers)
        while pending:
            number = pending.pop()
            if number not in found:
                found.add(number)
                pending += [self.made[root] for root in self.roots(self.calls[number].arrays)]
        return found


def _arrays_in(value: Any) -> Iterator[Any]:
    """The arrays in an attribute: an index, or several."""
    if isinstance(value, tuple):
        for part in value:
            yield from _arrays_in(part)
    elif backend.is_array(value):
        yield value


def overlap(a: Any, b: Any) -> bool:
    """Whether two arrays may share memory."""
    return backend.xp_of(a).may_share_memory(a, b)
