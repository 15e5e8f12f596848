"""What is asked of the strict device: synchronizations, transfers, and dtypes made."""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager


class Forbidden(AssertionError):
    """Something happened on the device that the test had forbidden."""


class Counts:
    """How often the host waited, and what moved and was made."""

    def __init__(self, events: Callable[[], collections.Counter]) -> None:
        self._events = events

    @property
    def synchronizations(self) -> int:
        """Times the host waited for the device."""
        return self._events()["synchronization"]

    @property
    def to_device(self) -> int:
        """Arrays moved from the host."""
        return self._events()["to_device"]

    @property
    def to_host(self) -> int:
        """Whole arrays moved to the host (each is a synchronization, too)."""
        return self._events()["to_host"]

    @property
    def dtypes(self) -> set[str]:
        """The names of the dtypes of all arrays made."""
        return {event.removeprefix("dtype ") for event in self._events() if event.startswith("dtype ")}


class Counter(Counts):
    """The counts since the last :meth:`reset`, and what is forbidden at present."""

    def __init__(self) -> None:
        super().__init__(lambda: self._total)
        self._forbidden: collections.Counter = collections.Counter()
        self.reset()

    def reset(self) -> None:
        """Forget what was counted."""
        self._total: collections.Counter = collections.Counter()

    def note(self, event: str) -> None:
        """Count an event, or raise :class:`Forbidden`."""
        if self._forbidden[event] > 0:
            raise Forbidden(f"{event} where the test forbids it")
        self._total[event] += 1

    @contextmanager
    def count(self) -> Iterator[Counts]:
        """The counts since the beginning of the block."""
        before = self._total.copy()
        yield Counts(lambda: self._total - before)

    def forbid_synchronization(self) -> AbstractContextManager[None]:
        """Fail at the line that makes the host wait."""
        return self._forbid("synchronization")

    def forbid_transfers(self) -> AbstractContextManager[None]:
        """Fail at the line that moves an array, either way."""
        return self._forbid("to_device", "to_host")

    def forbid_dtype(self, name: str) -> AbstractContextManager[None]:
        """Fail at the line that makes an array of this dtype."""
        return self._forbid(f"dtype {name}")

    @contextmanager
    def _forbid(self, *events: str) -> Iterator[None]:
        self._forbidden.update(events)
        try:
            yield
        finally:
            self._forbidden.subtract(events)


counter = Counter()
