"""Random numbers of each backend, from streams that are explicit."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from ..checks import instance, integer_from_zero, lengths
from ..errors import InputError, shown
from .arrays import float_dtype, get_backend, is_array
from .numpy import Backend


class Kept(NamedTuple):
    """Where a stream stood: what :meth:`Generator.keep` gives."""

    backend: Backend
    state: Any


class Generator:
    """An explicit stream of random numbers on one backend.

    Its state can be read and put back (``state``), so that a resumed run draws what the
    uninterrupted one would have drawn. The backends draw different numbers from one seed.

    Args:
        seed: a non-negative integer.
        backend: where it draws; the default one if None.

    Raises:
        InputError: the seed is not a non-negative integer; a state set is no such state.
    """

    def __init__(self, seed: int, backend: str | None = None) -> None:
        _refuse_while_recording("a generator is made")
        seed = integer_from_zero("seed", seed)
        self.backend = get_backend(backend)
        self._random = self.backend.random(seed)

    def standard_normal(self, shape: Sequence[int], dtype: Any = None, out: Any = None) -> Any:
        """Draws from N(0, 1), as an array."""
        return self._draw("standard_normal", shape, dtype, out)

    def uniform(self, shape: Sequence[int], dtype: Any = None, out: Any = None) -> Any:
        """Draws from the uniform distribution on [0, 1), as an array."""
        return self._draw("uniform", shape, dtype, out)

    def _draw(self, name: str, shape: Sequence[int], dtype: Any = None, out: Any = None) -> Any:
        """Draws of a kind, by name.

        Raises:
            InputError: inside :func:`no_direct_draws`, unless an operation asks.
        """
        _refuse_while_recording(f"a generator's {name}() is called", f"draw with minivae.{name}(generator, shape)")
        return _drawn(getattr(self._random, _DRAWS[name]), shape, dtype, out)

    @property
    def state(self) -> Any:
        """Where the stream stands, as JSON can hold it."""
        return self.backend.get_random_state(self._random)

    @state.setter
    def state(self, state: Any) -> None:
        _refuse_while_recording("the state of a generator is set")
        try:
            self.backend.set_random_state(self._random, state)
        except (KeyError, TypeError, ValueError, OverflowError, zlib.error) as error:
            raise InputError(f"not the state of a generator on {self.backend.name}: {error}") from error

    def keep(self) -> Kept:
        """Where the stream stands, where it is: not for JSON, and quick, for :meth:`restore` in this process."""
        return Kept(self.backend, self.backend.keep_random_state(self._random))

    def restore(self, kept: Kept) -> None:
        """Go back to where the stream stood when :meth:`keep` was called.

        Raises:
            InputError: it is not what :meth:`keep` of a generator on this backend gave; or inside a step that
                ``compile`` records.
        """
        _refuse_while_recording("the state of a generator is set")
        if not isinstance(kept, Kept) or kept.backend is not self.backend:
            raise InputError(f"kept is {shown(kept)}; expected what keep() of a generator on {self.backend.name} gave")
        self.backend.restore_random_state(self._random, kept.state)


_DRAWS = {"standard_normal": "standard_normal", "uniform": "random"}


class _Drawing(threading.local):
    refused = False


_drawing = _Drawing()


@contextmanager
def no_direct_draws(refused: bool = True) -> Iterator[None]:
    """A ``with`` block in which generators draw for operations alone (which say so by ``refused=False``)."""
    before, _drawing.refused = _drawing.refused, refused
    try:
        yield
    finally:
        _drawing.refused = before


def refuses_direct_draws() -> bool:
    """Whether we are in a block of :func:`no_direct_draws`."""
    return _drawing.refused


def _refuse_while_recording(what: str, instead: str = "do it before the call of the step") -> None:
    if _drawing.refused:
        raise InputError(
            f"{what} inside a step that compile() records, which would happen once and not at each call; {instead}"
        )


def _drawn(draw: Callable, shape: Sequence[int], dtype: Any, out: Any) -> Any:
    shape, dtype = lengths("shape", shape), float_dtype(dtype)
    if out is not None and not is_array(out):  # NumPy 2.4 would look into it as if it were one, and may crash
        raise InputError(f"out is {shown(out)}; expected an array")
    try:
        return draw(shape, dtype=dtype, out=out)
    except (TypeError, ValueError) as error:
        raise InputError(f"out is {shown(out)}; expected {dtype} of shape {shape} ({error})") from error


def require_generator(name: str, value: Any) -> Generator:
    """Return ``value`` if it is a :class:`Generator`, or raise :class:`InputError` naming it."""
    return instance(name, value, Generator, "a Generator of minivae: backend.generator(seed)")


def generator(seed: int, backend: str | None = None) -> Generator:
    """A new :class:`Generator`."""
    return Generator(seed, backend)
