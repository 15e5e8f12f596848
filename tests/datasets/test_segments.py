"""Made recordings: their shapes, their sources' variances, and that the mixture is one of all sources."""

import numpy as np
import pytest

from minivae.datasets.segments import segments
from minivae.errors import InputError


def test_labels_are_segments_and_variances_change_between_them():
    dataset, sources = segments(0, 3, count=20, length=400)
    assert dataset.train.images.shape == sources.shape == (8000, 3)
    assert dataset.train.images.dtype == np.float32
    assert dataset.classes == 20
    np.testing.assert_array_equal(np.bincount(dataset.train.labels), np.full(20, 400))
    widths = sources.reshape(20, 400, 3).std(axis=1)
    assert 0.4 < widths.min() < 1 < 2 < widths.max() < 3.3


def test_the_data_are_a_mixture_of_all_sources_that_no_straight_line_undoes():
    dataset, sources = segments(1, 4, count=10, length=500)
    x = dataset.train.images
    np.testing.assert_allclose(x.std(axis=0), 1, atol=0.02)
    table = np.abs(np.corrcoef(x.T, sources.T)[:4, 4:])
    assert ((table > 0.1).sum(axis=0) > 1).all()
    design = np.column_stack([x, np.ones(len(x))])
    rest = sources - design @ np.linalg.lstsq(design, sources, rcond=None)[0]
    assert (rest.var(axis=0) / sources.var(axis=0)).min() > 0.02


def test_the_seed_decides():
    (one, s), (same, _), (other, _) = (segments(seed, 2, 3, 5) for seed in (4, 4, 5))
    np.testing.assert_array_equal(one.train.images, same.train.images)
    assert (one.train.images != other.train.images).any()
    assert s.shape == (15, 2)


@pytest.mark.parametrize("options", [{"sources": 0}, {"count": 0}, {"length": -1}, {"noise": 0.0}], ids=str)
def test_what_makes_no_sense_is_refused(options):
    with pytest.raises(InputError, match=f"{next(iter(options))} is"):
        segments(0, **options)
