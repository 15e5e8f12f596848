"""What the digest of a data set depends on."""

from dataclasses import replace

import numpy as np
import pytest

from minivae.datasets import Dataset, Split
from minivae.datasets.digest import ROWS_READ, digest
from minivae.datasets.mapped import MappedRows

IMAGES = np.arange(24, dtype=np.uint8).reshape(6, 4)
LABELS = np.arange(6) % 2
DATA = Dataset("a", Split(IMAGES, LABELS), Split(IMAGES[:2], LABELS[:2]), (2, 2), 255.0, "one way")


def test_neither_name_nor_memory_layout_nor_byte_order_matter():
    for same in (
        replace(DATA, name="b", split="another way", image_shape=None),
        replace(DATA, train=Split(np.asfortranarray(IMAGES), LABELS)),
        replace(DATA, train=Split(IMAGES, LABELS.astype(">i8"))),
    ):
        assert digest(same) == digest(DATA)


@pytest.mark.parametrize(
    "changes",
    [
        {"scale": 1.0},
        {"train": Split(IMAGES[::-1].copy(), LABELS)},
        {"train": Split(IMAGES, 1 - LABELS)},
        {"train": Split(IMAGES)},
        {"train": Split(IMAGES.astype(np.float32), LABELS)},
        {"test": Split(IMAGES[:3], LABELS[:3])},
        {"validation": Split(IMAGES[:2], LABELS[:2])},
        {"train": DATA.test, "test": DATA.train},
    ],
)
def test_values_labels_scale_and_parts_do(changes):
    assert digest(replace(DATA, **changes)) != digest(DATA)


def test_of_rows_in_a_file_a_part_is_read(tmp_path):
    rows = 3 * ROWS_READ
    array = np.memmap(tmp_path / "rows", np.float32, "w+", shape=(rows, 2))
    array[:] = np.arange(2 * rows).reshape(rows, 2)
    taken = []

    class Noted(MappedRows):
        def __getitem__(self, index):
            taken.append(len(np.asarray(self._rows[index])))
            return super().__getitem__(index)

    data = Dataset("a", Split(Noted(array, np.float32)), Split(np.ones((1, 2), np.float32)), None, 1.0, "")
    before = digest(data)
    assert sum(taken) == ROWS_READ
    assert digest(data) == before
    array[-1] += 1
    assert digest(data) != before
