"""SciPy's distributions over vectors, with a batch and the methods of those over numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special, stats


class Vectors:
    """One frozen distribution for each vector of a batch, and that of each element by itself.

    Args:
        frozen: SciPy's frozen distribution from the parameters of one vector.
        elements: SciPy's frozen distribution of the elements by themselves, over the whole batch.
        parameters: arrays over the batch.
    """

    def __init__(self, frozen: Callable, elements: Any, *parameters: np.ndarray) -> None:
        self.elements = elements
        self.mean, self.var, self.cdf = elements.mean, elements.var, elements.cdf
        self.batch = elements.mean().shape[:-1]
        self.frozen = {at: frozen(*(p[at] for p in parameters)) for at in np.ndindex(*self.batch)}

    @classmethod
    def dirichlet(cls, a: np.ndarray) -> Vectors:
        found = cls(_Dirichlet, stats.beta(a, a.sum(-1, keepdims=True) - a), a)
        found.mean = lambda: a / a.sum(-1, keepdims=True)  # also of a vector of one element, which is no Beta
        return found

    @classmethod
    def normal(cls, loc: np.ndarray, matrix: np.ndarray) -> Vectors:
        widths = np.sqrt(np.einsum("...ii->...i", matrix))
        return cls(stats.multivariate_normal, stats.norm(loc, widths), loc, matrix)

    @classmethod
    def student_t(cls, df: np.ndarray, loc: np.ndarray, matrix: np.ndarray) -> Vectors:
        def frozen(df: np.ndarray, loc: np.ndarray, matrix: np.ndarray) -> Any:
            return stats.multivariate_t(loc, matrix, float(df))

        widths = np.sqrt(np.einsum("...ii->...i", matrix))
        return cls(frozen, stats.t(df[..., None], loc, widths), df, loc, matrix)

    def logpdf(self, x: np.ndarray) -> np.ndarray:
        """As ``(..., 1)``: a sum over the event axis changes nothing."""
        x = np.broadcast_to(x, (*np.broadcast_shapes(x.shape[:-1], self.batch), x.shape[-1]))
        found = np.empty((*x.shape[:-1], 1))
        for at, frozen in self.frozen.items():
            found[(..., *at, 0)] = frozen.logpdf(x[(..., *at, slice(None))])
        return found

    def entropy(self) -> np.ndarray:
        return np.array([frozen.entropy() for frozen in self.frozen.values()]).reshape((*self.batch, 1))

    def rvs(self, size: tuple[int, ...], random_state: np.random.Generator) -> np.ndarray:
        found = np.empty(size)
        for at, frozen in self.frozen.items():
            found[(slice(None), *at)] = frozen.rvs(size[0], random_state=random_state)
        return found


class OneHot:
    """One draw of SciPy's multinomial distribution for each vector of a batch.

    Args:
        logits: of the probabilities, ``(..., event)``.
    """

    def __init__(self, logits: np.ndarray) -> None:
        self._p = special.softmax(logits, axis=-1)

    def mean(self) -> np.ndarray:
        return self._p

    def var(self) -> np.ndarray:
        return self._p * (1 - self._p)

    def logpmf(self, x: np.ndarray) -> np.ndarray:
        """As ``(..., 1)``: a sum over the event axis changes nothing."""
        x, p = np.broadcast_arrays(x, self._p)
        if not x.size:
            return np.zeros((*x.shape[:-1], 1))  # SciPy refuses these
        return np.asarray(stats.multinomial(1, p / p.sum(-1, keepdims=True)).logpmf(x))[..., None]

    def entropy(self) -> np.ndarray:
        return special.entr(self._p).sum(-1, keepdims=True)

    def rvs(self, size: tuple[int, ...], random_state: np.random.Generator) -> np.ndarray:
        return random_state.multinomial(1, self._p, size[:-1]).astype(float)


class _Dirichlet:
    """SciPy's, but taking the vectors as rows."""

    def __init__(self, a: np.ndarray) -> None:
        self._frozen = stats.dirichlet(a)
        self.entropy, self.rvs = self._frozen.entropy, self._frozen.rvs

    def logpdf(self, x: np.ndarray) -> np.ndarray:
        return self._frozen.logpdf(np.moveaxis(x, -1, 0))
