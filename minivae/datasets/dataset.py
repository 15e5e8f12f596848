"""What every loader returns: rows of pixels, split into train and test.

Pixels stay in the type they came in (uint8 almost always); a minibatch becomes
numbers in [0, 1] only when it is taken, as ``images / scale``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from ..checks import (
    divisor,
    fraction,
    instance,
    integer_from_zero,
    lengths,
    positive_integer,
    positive_number,
    sequence,
)
from ..errors import InputError, shown
from . import account
from .choices import Choices
from .domain import Domain
from .mapped import MappedRows, blocks
from .preparation import Preparation, fitted, for_columns

_WORDS = {"train": "training", "validation": "validation", "test": "test"}  # parts, in messages


@dataclass(frozen=True, eq=False)
class Split:
    """Data points and, where there are any, their labels.

    Attributes:
        images: ``(N, D)`` uint8, or float32 for the user's own real-valued data, one row after the
            other in memory (copied once if they came otherwise). Rows of a
            file that is too large for memory are read when they are asked for (``images[rows]``).
        labels: ``(N,)`` integers, -1 where a data point has none; or None.
        rows: ``(N,)``, which rows of the file these are, where it came in one piece; else None.
    """

    images: np.ndarray | MappedRows
    labels: np.ndarray | None = None
    rows: np.ndarray | None = None

    def __post_init__(self) -> None:
        kind = getattr(getattr(self.images, "dtype", None), "kind", "")
        if kind not in tuple("biuf") or len(self.images.shape) != 2:
            raise InputError(f"images is {shown(self.images)}; expected an array of numbers, (N, D)")
        if self.labels is not None:
            require_labels(self.labels, len(self.images))
        if self.rows is not None:
            _require_integers("rows", self.rows, len(self.images))
        if isinstance(self.images, np.ndarray):
            # To take some rows of an array that lies otherwise, NumPy copies all of it, each time.
            object.__setattr__(self, "images", np.require(self.images, requirements=["C", "ALIGNED"]))

    def __len__(self) -> int:
        return len(self.images)

    @property
    def labelled(self) -> int:
        """How many data points have a label."""
        return 0 if self.labels is None else int((self.labels >= 0).sum())

    def sample(self, count: int, seed: int = 0) -> Split:
        """Return ``count`` rows drawn without replacement (all rows if there are fewer).

        Pictures and quick evaluations use this and never a leading slice: some
        files are sorted by digit (binarized MNIST), others by time (Frey Face).
        """
        order = np.random.default_rng(integer_from_zero("seed", seed)).permutation(len(self))
        chosen = order[: positive_integer("count", count)]
        return Split(self.images[chosen], None if self.labels is None else self.labels[chosen])


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set ready for training.

    Attributes:
        name: the name on the command line, or the path of the user's file.
        train, test: the two parts; both have at least one row.
        image_shape: (rows, columns) of one image, or (rows, columns, 3) in colour; None where it is not known.
            Of a sequence of pictures all of them are one image, from the first at its top to the last.
        scale: ``images / scale`` are the values that the data stand for; bytes stand for parts of 255, say.
        split: one line on how train and test were parted, for reports.
        validation: a third part, for choosing and stopping, or None.
        columns: the names of the D values, where the file has them.
        class_names: what each label is called, where the file says.
        preparation: what turns ``images / scale`` into what the model sees; None for nothing.
        account: what was assumed when the data were read, by name, as JSON can hold it.
        source: what to read them by again, as JSON can hold it: ``data``, ``split``, ``split_seed``; empty
            for data that :func:`~minivae.datasets.load` has not read.
        sequence_length: T, where a data point is a sequence: its D values are those of T steps, one after the other;
            1 where it is none.
    """

    name: str
    train: Split
    test: Split
    image_shape: tuple[int, ...] | None
    scale: float
    split: str
    validation: Split | None = None
    columns: tuple[str, ...] | None = None
    class_names: tuple[str, ...] | None = None
    preparation: Preparation | None = None
    account: dict[str, Any] = field(default_factory=dict)
    source: dict[str, Any] = field(default_factory=dict)
    sequence_length: int = 1

    def __post_init__(self) -> None:
        for name, part in self.parts.items():
            columns = instance(name, part, Split, "a Split").images.shape[1]
            if columns != self.data_dim:
                raise InputError(f"{name} has {columns} columns; expected {self.data_dim}, as train has")
        positive_number("scale", self.scale)
        instance("source", self.source, dict, "what data are read by, by name")
        if self.image_shape is not None:
            shape = lengths("image_shape", self.image_shape)
            if math.prod(shape) != self.data_dim:
                raise InputError(f"image_shape is {shape}; expected one of {self.data_dim} values")
        divisor("sequence_length", self.sequence_length, self.data_dim)
        if self.columns is not None and len(sequence("columns", self.columns, "names")) != self.data_dim:
            raise InputError(f"columns is {shown(self.columns)}; expected {self.data_dim} names, one for each value")
        if self.class_names is not None:
            sequence("class_names", self.class_names, "names")
        for_columns(self.preparation, self.data_dim)
        instance("account", self.account, dict, "a dict")

    @classmethod
    def from_arrays(
        cls,
        train: Any,
        test: Any = None,
        validation: Any = None,
        labels: Any = None,
        *,
        test_labels: Any = None,
        validation_labels: Any = None,
        columns: Any = None,
        name: str = "arrays",
        split: str | None = None,
        seed: int = 0,
        sequence_length: int | None = None,
    ) -> Dataset:
        """A data set of arrays, or of what becomes one (lists, a data frame, whose columns keep their names).

        The rules are those for files (docs/data.md): whole numbers in 0..255 are kept as bytes, and so on.

        Args:
            train: ``(N, D)``, ``(N, rows, columns)`` or ``(N, rows, columns, 3)``.
            test: the same; None to hold out a tenth of ``train``.
            validation: the same, or a share of the training rows (0.1, say); None for no such part.
            labels, test_labels, validation_labels: ``(N,)`` numbers or text, or ``(N, K)`` one-hot, for each part.
            columns: names of the D values.
            name: what messages and reports call it.
            split, seed: how the test part is held out, see :func:`minivae.datasets.load`.
            sequence_length: T, where a data point is a sequence, see :class:`Dataset`.

        Raises:
            InputError: an argument is of a wrong kind, or the arrays do not fit together.
        """
        from .splitting import with_validation  # which are made of data sets
        from .user_file import from_arrays

        share = fraction("validation", validation) if isinstance(validation, float) else None
        choices = Choices(split=split, seed=seed, sequence_length=sequence_length)
        of_parts = {"train": labels, "validation": validation_labels, "test": test_labels}
        own = None if share is not None else validation
        dataset = from_arrays(train, test, own, of_parts, columns, name, choices)
        dataset = replace(dataset, sequence_length=choices.sequence_length or 1)
        return with_validation(dataset, share, split=split, seed=seed).with_account()

    def with_account(self) -> Dataset:
        """This data set, its account completed by what can be said of any."""
        return replace(self, account=account.facts(self) | self.account)

    def describe(self) -> str:
        """What was assumed when the data were read, in one line."""
        return account.in_words(self.name, account.facts(self) | self.account)

    @property
    def parts(self) -> dict[str, Split]:
        """Train, validation if there is one, and test, by name."""
        found = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: part for name, part in found.items() if part is not None or name != "validation"}  # type: ignore

    @property
    def data_dim(self) -> int:
        """D, the number of values in one data point."""
        return self.train.images.shape[1]

    @cached_property
    def classes(self) -> int:
        """How many labels there may be, from 0 to the largest; 0 where data points have none.

        Raises:
            InputError: more than there are data points: the labels are no numbers of classes.
        """
        labels = [part.labels for part in self.parts.values()]
        known = [int(each.max()) for each in labels if each is not None]
        classes = max(1 + max(known), len(self.class_names or ())) if len(known) == len(labels) else 0
        points = sum(map(len, self.parts.values()))
        if classes > points:
            raise InputError(f"{self.name} has a label {classes - 1} among {points} points; expected labels from 0 on")
        return classes

    @cached_property
    def value_range(self) -> tuple[float, float]:
        """Smallest and largest value of all parts, in the data's own units."""
        low, high = min(rows.min() for rows in self._parts), max(rows.max() for rows in self._parts)
        return float(low) / self.scale, float(high) / self.scale

    def model_values(self) -> Iterator[np.ndarray]:
        """All values as the model sees them, some rows after the other."""
        for part in self._parts:
            for rows in map(part.__getitem__, blocks(part)):
                yield rows / self.scale if self.preparation is None else self.preparation.apply(rows / self.scale)

    @property
    def _parts(self) -> list[np.ndarray | MappedRows]:
        return [part.images for part in self.parts.values()]

    def as_stored(self) -> Dataset:
        """The same data, whose own units are the numbers as they are stored: bytes are not parts of 255."""
        return replace(self, scale=1.0, account={**self.account, "scale": 1.0})

    def prepared(self, kind: str) -> Dataset:
        """The same data, which a model sees prepared: see :mod:`~minivae.datasets.preparation`.

        Args:
            kind: "none", "unit", "standardize" or "log1p"; for pictures one shift and scale for all pixels.

        Raises:
            InputError: an unknown kind, or "log1p" of values below 0.
        """
        return replace(self, preparation=fitted(kind, self._parts, self.scale, whole=self.image_shape is not None))


def first_beyond(rows: np.ndarray | MappedRows, limit: float) -> tuple[int, int] | None:
    """Row and column of the first value that is NaN or whose size is ``limit`` or more; None if there is none.

    A part of the rows is looked at at a time, so that rows in a file need not fit into memory.
    """
    if rows.dtype.kind != "f":
        return None
    for block in blocks(rows):
        found = np.argwhere(~(np.abs(rows[block]) < np.float64(limit)))  # not a float, which would be one of rows.dtype
        if len(found):
            return block.start + int(found[0, 0]), int(found[0, 1])
    return None


def require_finite(dataset: Dataset, dtype: np.dtype) -> None:
    """Check that every value in memory is a finite number, also as ``dtype``.

    Those that have stayed in a file were checked when it was opened.

    Raises:
        InputError: some value is not; names the data set, the row and the column.
    """
    for name, part in dataset.parts.items():
        in_memory = isinstance(part.images, np.ndarray)
        at = first_beyond(part.images, float(np.finfo(dtype).max)) if in_memory else None
        if at is not None:
            raise InputError(
                f"{dataset.name} has {part.images[at]} in {_WORDS[name]} row {at[0]}, value {at[1]}; "
                f"expected finite {dtype} numbers"
            )


def one_hot(labels: np.ndarray, classes: int) -> np.ndarray:
    """A 1 for each label and 0 elsewhere, ``(N, classes)`` float32.

    Raises:
        InputError: a label is not one of 0 to ``classes`` - 1.
    """
    classes = positive_integer("classes", classes)
    require_labels(labels)
    if len(labels) and not 0 <= labels.min() <= labels.max() < classes:
        raise InputError(f"labels lie between {labels.min()} and {labels.max()}; expected 0 to {classes - 1}")
    rows = np.zeros((len(labels), classes), np.float32)
    rows[np.arange(len(labels)), labels] = 1
    return rows


def require_labels(labels: np.ndarray, count: int | None = None) -> None:
    """Raise :class:`InputError` unless the labels are integers, one for each of ``count`` data points."""
    _require_integers("labels", labels, count)


def _require_integers(name: str, values: np.ndarray, count: int | None) -> None:
    kind = values.dtype.kind if isinstance(values, np.ndarray) else ""
    if kind not in tuple("iu") or values.shape != (len(values) if count is None else count,):
        expected = f"an array of integers, ({'N' if count is None else count},)"
        raise InputError(f"{name} is {shown(values)}; expected {expected}")


def require_domain(dataset: Dataset, domain: Domain) -> None:
    """Check that every value that a model sees belongs to the domain of its likelihood.

    Raises:
        InputError: some value does not; names the data set and what it has.
    """
    advice = " (rescale the file, store 0..255 as uint8, or use another likelihood or --prepare)"
    instance("dataset", dataset, Dataset, "a Dataset")
    instance("domain", domain, Domain, "a Domain")
    extremes_tell = dataset.preparation is None and domain.step is None
    values = [np.array(dataset.value_range)] if extremes_tell else dataset.model_values()
    prepared = "" if dataset.preparation is None else f", prepared by {dataset.preparation.kind!r},"
    domain.require(dataset.name + prepared, values, advice)
