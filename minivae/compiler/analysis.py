"""What a list of recorded calls means: which arrays are made, viewed, constant, or changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from .. import backend
from ..autodiff.formula import Formula
from ..autodiff.primitives import Primitive
from ..errors import InputError


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
    def formula(self) -> Formula | None:
        """What an element-wise call computes; None for other calls."""
        return self.primitive.formula


class Recorded:
    """The analysis of a recording.

    Arrays are told apart by identity: the recording holds them, so an id stays its own.

    Args:
        calls: in the order in which they ran.
        outputs: arrays that the step returned.

    Attributes:
        calls: as given, with reads of an assigned target replaced by the value assigned.
        made: for the id of each array that a call makes in memory of its own, that call's number.
        views: for the id of each view of such an array, the number of the call that viewed it.
        placed: for the id of a made array that is computed in place, the target.
        main: numbers of the calls to run at each replay, in order.
        late: numbers of the calls that only returned values need.
    """

    def __init__(self, calls: Sequence[Call], outputs: Sequence[Any]) -> None:
        self.calls, self.outputs = list(calls), list(outputs)
        self.made: dict[int, int] = {}
        self.views: dict[int, int] = {}
        self.placed: dict[int, Any] = {}
        self._constants: set[int] = set()
        self._uniform: dict[int, Any] = {}  # for the id of a constant that is one number everywhere, that number
        self._targets = [call.inputs[0] for call in self.calls if call.primitive.kind == "assignment"]
        for number, call in enumerate(self.calls):
            self._classify(number, call)
            if call.formula and id(call.output) in self.made:  # (a number is broadcast as the array was)
                inputs = tuple(self._uniform.get(id(x), x) for x in call.inputs)
                self.calls[number] = call._replace(inputs=inputs)
        self.main, self.late = self._needed()
        self._assign_in_place()

    # ------------------------------------------------------------ 1. kinds

    def _classify(self, number: int, call: Call) -> None:
        output, kind = call.output, call.primitive.kind
        if any(id(x) in self.made or id(x) in self.views for x in _index_arrays(call.attributes.get("index"))):
            raise InputError("a compiled step indexes by an array that it computes; use take() instead of []")
        if kind == "assignment" or any(output is x for x in call.arrays):
            return  # writes into, or is, an array that is known already
        if kind != "draw" and all(id(x) in self._constants for x in call.arrays) and not self._assigned(output):
            self._constants.add(id(output))
            self._note_uniform(call)
        elif kind == "view" and overlap(output, call.arrays[0]):
            if self.root(call.arrays[0]) is not None:
                self.views[id(output)] = number
        else:
            self.made[id(output)] = number

    def _note_uniform(self, call: Call) -> None:
        kind, output = call.primitive.kind, call.output
        each = (call.formula or kind == "view") and all(id(x) in self._uniform for x in call.arrays)
        if output.size and (kind == "constant" or each):
            number = output[(slice(1),) * output.ndim].reshape(())
            self._uniform[id(output)] = number
            self._constants.add(id(number))

    def root(self, array: Any) -> int | None:
        """The id of the made array that ``array`` is or views; None if it comes from outside."""
        key = id(array)
        while key in self.views:
            key = id(self.calls[self.views[key]].arrays[0])
        return key if key in self.made else None

    def roots(self, arrays: Iterable[Any]) -> set[int]:
        """The ids of the made arrays among and under ``arrays``."""
        return {root for root in map(self.root, arrays) if root is not None}

    # --------------------------------------------------------- 2. liveness

    def _needed(self) -> tuple[list[int], list[int]]:
        """The calls that change something or draw noise with all they need, and those only outputs need."""
        effects = {n for n, call in enumerate(self.calls) if call.primitive.kind in {"assignment", "draw"}}
        main = self._closure(effects)
        late = self._closure({self.made[root] for root in self.roots(self.outputs)}) - main
        # A late call may not read what the step, or others after it, have changed by then.
        stale = {n for n in late for x in self.calls[n].arrays if self._from_outside(x) or self._assigned(x)}
        main |= self._closure(stale)
        return sorted(main), sorted(late - main)

    def _assigned(self, array: Any) -> bool:
        return any(overlap(array, target) for target in self._targets)

    def _from_outside(self, array: Any) -> bool:
        return self.root(array) is None and id(array) not in self._constants

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

    # --------------------------------------------------- 3. in-place results

    def _assign_in_place(self) -> None:
        for number in list(self.main):
            call = self.calls[number]
            if call.primitive.kind == "assignment" and self._can_be_placed(number):
                target, value = call.inputs
                self.placed[id(value)] = target
                self.main.remove(number)
                self._read_value_instead(number, target, value)

    def _can_be_placed(self, number: int) -> bool:
        """Whether the value of an assignment may be computed in its target's memory at once."""
        target, value = self.calls[number].inputs
        producer = self.made.get(id(value))
        if producer is None or id(value) in self.placed or not _same_layout(target, value):
            return False
        if not self._from_outside(target):  # its memory is not its own all the time
            return False
        maker = self.calls[producer]
        if maker.primitive.kind == "draw":
            return False
        # The maker may read the target where it writes it, element by element; nobody may
        # touch it from then until the assignment.
        if any(overlap(x, target) and not (maker.formula and x is target) for x in maker.arrays):
            return False
        between = [self.calls[n] for n in self.main if producer < n < number]
        if any(overlap(x, target) for call in between for x in call.arrays):
            return False
        # Nor may the target change again, in the step or after it, while the value is still read.
        changes = [n for n in self.main if n > number and self._changes(n, target)]
        readers = [*(n for n in self.main if changes and n >= changes[0]), *self.late]
        read = [*self.outputs, *(x for n in readers for x in self.calls[n].arrays)]
        return id(value) not in self.roots(read)

    def _changes(self, number: int, target: Any) -> bool:
        call = self.calls[number]
        return call.primitive.kind == "assignment" and overlap(call.inputs[0], target)

    def _read_value_instead(self, number: int, target: Any, value: Any) -> None:
        """Let later reads of an assigned target be reads of the value, up to the next change."""
        for n in range(number + 1, len(self.calls)):
            call = self.calls[n]
            if self._changes(n, target):
                changed = (call.inputs[0], *(value if x is target else x for x in call.inputs[1:]))
                self.calls[n] = call._replace(inputs=changed)
                return
            self.calls[n] = call._replace(inputs=tuple(value if x is target else x for x in call.inputs))


def _index_arrays(index: Any) -> list[Any]:
    return [i for i in (index if isinstance(index, tuple) else (index,)) if hasattr(i, "dtype")]


def overlap(a: Any, b: Any) -> bool:
    """Whether two arrays may share memory."""
    return backend.namespace(a).may_share_memory(a, b)


def _same_layout(a: Any, b: Any) -> bool:
    return a.shape == b.shape and a.dtype == b.dtype and a.strides == b.strides
