"""The largest singular value of weight matrices: how far a layer can stretch a vector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..autodiff import Tensor, equal, matmul, norm, stop_gradient, sum, where
from ..autodiff.shape import shaped
from ..backend import Generator, asarray, float_dtype, get_backend, require_generator
from ..checks import lengths, sequence
from ..errors import InputError, shown
from .mlp import Module


class SpectralNorms(Module):
    """The largest singular value of each of some matrices, by one power iteration a step.

        v = W u / |W u|,    u <- W^T v / |W^T v|,    s = v^T W u

    u, of each matrix, is state: from step to step it comes nearer to the singular vector, faster than weights change
    (Miyato et al. 2018, "Spectral normalization for generative adversarial networks", arXiv 1802.05957, Algorithm 1).
    s is never above the singular value. Its gradient is v u^T, with both held.

    Args:
        shapes: of the matrices, ``(rows, columns)``; a kernel of a convolution is one by its outputs.
        generator: draws the first u.
        dtype, backend: of the state.

    Attributes:
        vectors: u of each matrix, ``(columns,)``.
    """

    def __init__(
        self, shapes: Sequence[Sequence[int]], generator: Generator, *, dtype: Any = None, backend: str | None = None
    ) -> None:
        require_generator("generator", generator)
        where_, self.shapes = get_backend(backend).name, []
        self.vectors: list[Tensor] = []
        for i, shape in enumerate(sequence("shapes", shapes, "pairs of lengths")):
            self.shapes.append(_two(f"shapes[{i}]", shape))
            drawn = generator.standard_normal((self.shapes[-1][1],), float_dtype(dtype))
            self.vectors.append(Tensor(asarray(drawn, backend=where_)))

    def __call__(self, matrices: Sequence[Any]) -> tuple[list[Tensor], list[tuple[Tensor, Tensor]]]:
        """s of each matrix, 0-d; and what the step changes, pairs of a u and its new value.

        Raises:
            InputError: there are others than those that this was made for.
        """
        matrices = sequence("matrices", matrices, "matrices")
        if len(matrices) != len(self.shapes):
            raise InputError(f"matrices has {len(matrices)} of them; expected {len(self.shapes)}")
        values, moved = [], []
        for i, (matrix, shape, u) in enumerate(zip(matrices, self.shapes, self.vectors, strict=True)):
            matrix = shaped(f"matrices[{i}]", matrix, u, *shape)
            v = stop_gradient(_unit(matmul(matrix, u), 0.0))
            stretched = matmul(v, matrix)
            new = stop_gradient(_unit(stretched, u))
            values.append(sum(stretched * new))
            moved.append((u, new))
        return values, moved


def _two(name: str, shape: Any) -> tuple[int, ...]:
    """The lengths of a matrix."""
    found = lengths(name, shape)
    if len(found) != 2 or 0 in found:
        raise InputError(f"{name} is {shown(shape)}; expected two lengths, of rows and columns, of at least 1")
    return found


def _unit(x: Tensor, otherwise: Any) -> Tensor:
    """x / |x|; of a vector of zeros something else."""
    length = norm(x)
    nothing = equal(length, 0.0)
    return where(nothing, otherwise, x / where(nothing, 1.0, length))
