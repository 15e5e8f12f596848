"""Part "overhead": what one operation on a tiny tensor costs in eager mode, with its tape, and backward.

A chain of 100 equal operations on tensors of four float32 numbers, ``y = f(y, x)``, is computed
and then differentiated by x. The arithmetic is next to nothing, so that what is timed is the
library: dispatch, the array, the tape. Reported are microseconds an operation.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from importlib.util import find_spec
from typing import Any

from .harness import statistics
from .worker import Remote

LENGTH = 100
ROUNDS, QUICK_ROUNDS, SAMPLES = 10, 3, 20
LABELS = {"minivae": "minivae, eager", "torch": "PyTorch, eager", "autograd": "HIPS autograd"}
OPERATIONS = ("add", "multiply", "tanh", "matmul")


def step_of(operation: str, functions: Any) -> Callable:
    """``(y, x) -> `` the next y of the chain, by the functions of a library."""
    f = getattr(functions, operation)
    return (lambda y, x: f(y)) if operation == "tanh" else f


def chain(f: Callable, x: Any) -> Any:
    y = x
    for _ in range(LENGTH):
        y = f(y, x)
    return y


class Ours:
    def __init__(self, operation: str, start: Any) -> None:
        import minivae as mv

        self.f, self.x, self.g = step_of(operation, mv), mv.Parameter(start), mv.tensor(start)
        self.gradient = mv.backward

    def forward(self) -> Any:
        return chain(self.f, self.x)

    def backward(self, y: Any) -> Any:
        return self.gradient(y, [self.x], self.g)


class PyTorch:
    def __init__(self, operation: str, start: Any) -> None:
        import torch

        torch.set_num_threads(1)  # nothing here is large enough for two
        self.f, self.g = step_of(operation, torch), torch.from_numpy(start)
        self.x, self.gradient = self.g.clone().requires_grad_(), torch.autograd.grad

    def forward(self) -> Any:
        return chain(self.f, self.x)

    def backward(self, y: Any) -> Any:
        return self.gradient(y, self.x, self.g)


class Autograd:
    """Its tape exists only inside ``make_vjp``, which runs the chain and returns the way back."""

    def __init__(self, operation: str, start: Any) -> None:
        import autograd.numpy
        from autograd import make_vjp

        f = step_of(operation, autograd.numpy)
        self.make, self.x = make_vjp(lambda x: chain(f, x)), start

    def forward(self) -> Any:
        return self.make(self.x)[0]

    def backward(self, y: Any) -> Any:
        return y(self.x)


LIBRARIES = {"minivae": Ours, "torch": PyTorch, "autograd": Autograd}


class Session:
    """A library at work; lives in a worker."""

    def __init__(self, backend: str) -> None:
        self.backend = LIBRARIES[backend]

    def turn(self, operation: str) -> tuple[list[float], list[float]]:
        """Seconds an operation, forward and backward, of each sample."""
        import numpy as np

        start = np.eye(2, dtype="float32") if operation == "matmul" else np.ones(4, "float32")
        subject = self.backend(operation, start)
        pairs = [self._sample(subject) for _ in range(2 * SAMPLES)][SAMPLES:]
        return [forward for forward, _ in pairs], [backward for _, backward in pairs]

    def _sample(self, subject: Any) -> tuple[float, float]:
        start = time.perf_counter()
        y = subject.forward()
        middle = time.perf_counter()
        subject.backward(y)
        return (middle - start) / LENGTH, (time.perf_counter() - middle) / LENGTH


def run(quick: bool, say: Callable[[str], None]) -> dict[str, Any]:
    """For each operation and library the statistics of seconds an operation, forward and backward."""
    present = [backend for backend in LIBRARIES if find_spec(backend)]
    samples: dict = {operation: {backend: ([], []) for backend in present} for operation in OPERATIONS}
    with ExitStack() as stack:
        remotes = {backend: stack.enter_context(Remote(Session, backend)) for backend in present}
        for _ in range(QUICK_ROUNDS if quick else ROUNDS):
            for operation, libraries in samples.items():
                for backend, (forward, backward) in libraries.items():
                    found = remotes[backend].call("turn", operation)
                    forward += found[0]
                    backward += found[1]
    results = {
        operation: {
            backend: {"forward": statistics(forward), "backward": statistics(backward)}
            for backend, (forward, backward) in libraries.items()
        }
        for operation, libraries in samples.items()
    }
    _tell(results, say)
    return results


def _tell(results: dict[str, Any], say: Callable[[str], None]) -> None:
    for operation, libraries in results.items():
        for backend, found in libraries.items():
            forward, backward = (found[way]["median"] * 1e6 for way in ("forward", "backward"))
            say(f"  {operation:9} {LABELS[backend]:16} {forward:6.2f} us forward, {backward:6.2f} us backward")
