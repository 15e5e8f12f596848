"""Minibatches: from stored pixels to what a model sees."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import backend
from ..autodiff import Tensor, astype, less, take, uniform, where
from ..backend import asarray, float_dtype, get_backend
from ..checks import instance, integer_from_zero, one_of, positive_integer, positive_number, switch
from ..datasets import Split, one_hot
from ..datasets.mapped import MappedRows
from ..datasets.preparation import Preparation, for_columns
from ..errors import InputError
from ..models import Batch

BINARIZE = ("none", "threshold", "dynamic")
FIXED_ORDER = 20131220  # seeds the order of every evaluation, on every backend


class Minibatches:
    """Serves minibatches of a split, in the backend, dtype and binarization of a run.

    Pixels stay as they are stored (uint8), on the device, until a minibatch is taken; those of
    a file that is too large for memory stay there, and go to the device by the minibatch.

    Args:
        split: the data points.
        scale: ``images / scale`` are the data in their own units.
        preparation: what makes model values of those; None for nothing.
        binarize: "none": values as they are (grey levels count as probabilities);
            "threshold": 1 above 1/2; "dynamic": each pixel drawn anew at each visit, 1
            with its grey level as the probability.
        dtype, backend: of the minibatches.
        classes: the context is the label among so many, one-hot; 0 for no context.
        partly: whether labels may be missing (-1), for which the context is a row of zeros.

    Raises:
        InputError: a context is asked for, and there are no labels, or others, or some are missing.
    """

    def __init__(
        self,
        split: Split,
        scale: float,
        *,
        preparation: Preparation | None = None,
        binarize: str = "none",
        dtype: Any = None,
        backend: str | None = None,
        classes: int = 0,
        partly: bool = False,
    ) -> None:
        self.binarize = one_of("binarize", binarize, BINARIZE)
        instance("split", split, Split, "a Split")
        self.scale, self.dtype = positive_number("scale", scale), float_dtype(dtype)
        self.backend = get_backend(backend).name
        self.preparation = for_columns(preparation, split.images.shape[1])
        stored = split.images
        self.images = stored if isinstance(stored, MappedRows) else self._stored(stored)
        self.classes, self.contexts = integer_from_zero("classes", classes), None
        if classes:
            if split.labels is None:
                raise InputError("split has no labels; expected them, which this model is told as its context")
            missing = split.labels == -1
            if missing.any() and not switch("partly", partly):
                raise InputError(f"{missing.sum()} of {len(missing)} labels are missing (-1); expected one for each")
            self.contexts = self.one_hot(np.where(missing, 0, split.labels))
            if missing.any():
                self.contexts = where(Tensor(asarray(missing[:, None], backend=self.backend)), 0.0, self.contexts)

    def __len__(self) -> int:
        return len(self.images)

    def inputs(self, rows: Tensor | np.ndarray) -> tuple[Tensor, ...]:
        """What :meth:`batch` needs to know of a minibatch, and so what a compiled step takes.

        The rows; and their values as they are stored, if those are not on the device.
        """
        if isinstance(self.images, Tensor):
            return (self._on_device(rows),)
        host = rows.numpy() if isinstance(rows, Tensor) else rows
        return self._on_device(rows), self._stored(self.images[host])

    def batch(self, rows: Tensor | np.ndarray, generator: backend.Generator, stored: Tensor | None = None) -> Batch:
        """The minibatch of the data points at ``rows``: ``(M, data_dim)``, and ``(M, classes)`` where wanted.

        Args:
            stored: the second of :meth:`inputs`, where there is one.
        """
        backend.require_generator("generator", generator)
        rows, *values = self.inputs(rows) if stored is None else (rows, stored)
        x = astype(values[0] if values else take(self.images, rows, axis=0), self.dtype)
        if self.preparation is None:
            x = x / self.scale
        if self.binarize == "threshold":
            x = astype(x > 0.5, self.dtype)
        elif self.binarize == "dynamic":
            x = astype(less(uniform(generator, x.shape, self.dtype), x), self.dtype)
        return Batch(x, None if self.contexts is None else take(self.contexts, rows, axis=0))

    def one_hot(self, labels: np.ndarray) -> Tensor:
        """Labels as a model is told them: ``(N,)`` -> ``(N, classes)``.

        Raises:
            InputError: one of them is not among the classes.
        """
        return Tensor(backend.asarray(one_hot(labels, self.classes), self.dtype, self.backend))

    def fixed_order(self, batch_size: int, least: int = 1) -> Iterator[Tensor | np.ndarray]:
        """The rows of minibatches of all data points once, for an evaluation.

        Their order is random and always the same, a function of how many there are alone: the
        order in which they are stored may go by class or by time, and then no minibatch
        would be a fair sample. Minibatches have at most ``batch_size`` rows and differ by one at
        most; where they would have fewer than ``least``, there is one less of them, of more rows.
        """
        rows, size = self._order(np.random.default_rng([FIXED_ORDER, len(self)]).permutation(len(self))), len(self)
        count = -(-size // positive_integer("batch_size", batch_size))
        count = max(1, min(count, size // positive_integer("least", least)))
        for i in range(count):
            yield rows[i * size // count : (i + 1) * size // count]

    def shuffled(self, batch_size: int, seed: int, epoch: int) -> Tensor | np.ndarray:
        """:func:`epoch_order` of these data; all of it goes to the device at once, unless the data stay here."""
        return self._order(epoch_order(len(self), batch_size, seed, epoch))

    def _order(self, rows: np.ndarray) -> Tensor | np.ndarray:
        return rows if isinstance(self.images, MappedRows) else self._on_device(rows)

    def _stored(self, images: np.ndarray) -> Tensor:
        """Values on the device. Pixels stay bytes; what is prepared or real becomes what the run computes in."""
        if self.preparation is not None:
            images = self.preparation.apply(np.asarray(images, np.float64) / self.scale)
        images = images.astype(self.dtype, copy=False) if images.dtype.kind == "f" else images
        return Tensor(backend.asarray(images, backend=self.backend))

    def _on_device(self, rows: Tensor | np.ndarray) -> Tensor:
        return rows if isinstance(rows, Tensor) else Tensor(backend.asarray(rows, backend=self.backend, name="rows"))


def epoch_order(size: int, batch_size: int, seed: int, epoch: int) -> np.ndarray:
    """The rows of each minibatch of an epoch, ``(minibatches, batch_size)``.

    A function of seed and epoch alone, so that the place in an epoch is one number and
    the order is the same on every backend. Points that do not fill a minibatch are
    left for the next epoch's shuffle.

    Raises:
        InputError: a minibatch is larger than the data.
    """
    if positive_integer("batch_size", batch_size) > size:
        raise InputError(f"batch_size is {batch_size}; the data have only {size} training rows")
    seed, epoch = integer_from_zero("seed", seed), integer_from_zero("epoch", epoch)
    order = np.random.default_rng([seed, epoch]).permutation(size)
    count = size // batch_size
    return order[: count * batch_size].reshape(count, batch_size)
