"""The cases are minivae's models, by their sizes."""

import numpy as np
import pytest

from benchmarks.cases import CASES, LOG_VAR_FLOOR, Case
from minivae.models import VAE, vae

DEEP = Case("deep", 9, (7, 5), 3, 4, "gaussian", rows=10)


@pytest.mark.parametrize("case", [*CASES.values(), DEEP], ids=lambda case: case.name)
def test_the_weights_fit_the_parameters_of_our_model(case):
    model = VAE(case.data_dim, case.latent_dim, case.hidden, likelihood=case.likelihood)
    arrays = [array for pair in case.weights() for array in pair]
    assert [array.shape for array in arrays] == [p.shape for p in model.parameters()]
    assert {array.dtype for array in arrays} == {np.dtype("float32")}


def test_the_floor_of_the_variance_is_ours():
    assert LOG_VAR_FLOOR == vae.LOG_VAR_FLOOR


def test_layers_at_z_are_told_from_the_others():
    assert [layer.latent for layer in DEEP.encoder] == [False, False, True, True]
    assert [layer.latent for layer in DEEP.decoder] == [True, False, False, False]


def test_minibatches_visit_every_row_once_but_for_the_rest():
    rows = DEEP.minibatches()
    assert rows.shape == (2, 4)
    assert len(set(rows.ravel())) == 8
    assert rows.min() >= 0
    assert rows.max() < 10


def test_pixels_are_bytes_of_all_values():
    images = CASES["digits"].images()
    assert images.shape == (1437, 64)
    assert images.dtype == np.uint8
    assert (images.min(), images.max()) == (0, 255)
