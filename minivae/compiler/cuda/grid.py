"""An element-wise kernel as a CUDA function over rows and columns, and how it is launched.

A thread's column is a place along the innermost axis, its row one along all others. What lies where costs each element
no division, then, also where an array is broadcast, as a bias is; a row that stands for several axes is taken apart
once. (CuPy's ``ElementwiseKernel`` divides for each element and axis.) Sizes and steps are arguments of the function,
so that steps of other sizes have the same text.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

from .source import TYPES, Source

_THREADS = 256  # of a block
_MOST_DOWN = 65535  # blocks along a grid's second axis; further rows are taken by turns


class Grid(NamedTuple):
    """The axes of a kernel, from the outermost in; neighbours that every array walks as one axis are one.

    Attributes:
        sizes: of two axes at least.
        steps: for each array, in elements, from one place to the next along each axis; 0 where it is broadcast.
    """

    sizes: tuple[int, ...]
    steps: tuple[tuple[int, ...], ...]

    @property
    def numbers(self) -> list[int]:
        """The arguments that follow the arrays: the sizes, and those steps that are not in the text."""
        return [*self.sizes, *(step for steps in self.steps for step in steps if _is_argument(step))]

    def launch(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """The shapes of the grid and of its blocks."""
        rows, columns = prod(self.sizes[:-1]), self.sizes[-1]
        across = min(_THREADS, 1 << (columns - 1).bit_length())
        down = _THREADS // across
        return (-(-columns // across), min(-(-rows // down), _MOST_DOWN)), (across, down)


def grid_of(shape: Sequence[int], arrays: Sequence[Any]) -> Grid:
    """How a kernel of a shape without zeros walks its arrays; the last one has that shape, and the order of axes."""
    steps = [_steps(x, len(shape)) for x in arrays]
    nothing = [0] * len(arrays)
    axes = [(1, nothing)]
    for axis in sorted(range(len(shape)), key=lambda axis: -abs(steps[-1][axis])):
        n, along = shape[axis], [of[axis] for of in steps]
        if n > 1 and len(axes) > 1 and all(outer == n * step for outer, step in zip(axes[-1][1], along, strict=True)):
            axes[-1] = (axes[-1][0] * n, along)
        elif n > 1:
            axes.append((n, along))
    axes = axes[1:] if len(axes) > 2 else [*axes, (1, nothing)][:2]
    return Grid(tuple(n for n, _ in axes), tuple(zip(*(along for _, along in axes), strict=True)))


def _steps(x: Any, ndim: int) -> list[int]:
    own = [stride // x.itemsize if n > 1 else 0 for n, stride in zip(x.shape, x.strides, strict=True)]
    return [0] * (ndim - len(own)) + own


def _is_argument(step: int) -> bool:
    return step not in (0, 1)


def text(source: Source, grid: Grid) -> str:
    """The whole CUDA function. Its arguments: the arrays, and :attr:`Grid.numbers`."""
    arrays = [declared.split() for declared in f"{source.inputs}, {source.outputs}".split(", ")]
    inputs = len(source.inputs.split(", "))
    kinds = [f"{'const ' if i < inputs else ''}{TYPES[dtype]}" for i, (dtype, _) in enumerate(arrays)]
    names, last = [name for _, name in arrays], len(grid.sizes) - 1
    places = [f"{name}_at[{_place(name, steps)}]" for name, steps in zip(names, grid.steps, strict=True)]
    pointers = [f"{kind}* {name}_at" for kind, name in zip(kinds, names, strict=True)]
    sizes = [f"n{axis}" for axis in range(len(grid.sizes))]
    steps = [f"{n}_{i}" for n, of in zip(names, grid.steps, strict=True) for i, s in enumerate(of) if _is_argument(s)]
    parameters = ", ".join([*pointers, *(f"const long long {name}" for name in (*sizes, *steps))])
    made = list(zip(kinds, names, places, strict=True))
    return "\n".join(
        [
            f'extern "C" __global__ void {source.name}({parameters}) {{',
            _loop("row" if last > 1 else "i0", "y", " * ".join(sizes[:-1])),
            *(_indices(last) if last > 1 else ()),
            _loop(f"i{last}", "x", sizes[-1]),
            *(f"{kind} {name} = {place};" for kind, name, place in made[:inputs]),
            *(f"{kind} {name};" for kind, name, _ in made[inputs:]),
            source.body,
            *(f"{place} = {name};" for _, name, place in made[inputs:]),
            "}\n}\n}\n",
        ]
    )


def _place(name: str, steps: Sequence[int]) -> str:
    terms = [f"i{axis} * {name}_{axis}" if _is_argument(n) else f"i{axis}" for axis, n in enumerate(steps) if n]
    return " + ".join(terms) or "0"


def _loop(index: str, axis: str, size: str) -> str:
    """A thread's places along an axis of the grid: its own, and those that no thread has."""
    first = f"blockIdx.{axis} * (long long)blockDim.{axis} + threadIdx.{axis}"
    further = f"{index} += (long long)gridDim.{axis} * blockDim.{axis}"
    return f"for (long long {index} = {first}; {index} < {size}; {further}) {{"


def _indices(last: int) -> list[str]:
    """The places along the outer axes, of a row that stands for several."""
    lines, rest = [], "row"
    for axis in range(last - 1, 0, -1):
        lines.append(f"const long long i{axis} = {rest} % n{axis}, above{axis} = {rest} / n{axis};")
        rest = f"above{axis}"
    return [*lines, f"const long long i0 = {rest};"]
