"""The networks of the ladder: what is below all levels, in one call and level by level."""

import numpy as np
import pytest

from minivae import backend
from minivae.autodiff import tensor
from minivae.models.hierarchy.networks import BottomUpMLP, TopDownMLP

M, WIDTH = 5, 4


@pytest.mark.parametrize("levels", [(3,), (2, 1), (1, 3, 2), (2, 2, 1, 3)])
def test_below_all_levels_is_what_one_after_the_other_leaves(levels, rng):
    down = TopDownMLP(levels, WIDTH, backend.generator(0), dtype="float64")
    z = rng.normal(size=(2, M, sum(levels)))
    pieces, state = np.split(z, np.cumsum(levels)[:-1], axis=-1), None
    for i, piece in enumerate(pieces):
        before, state = state, down.below(i, state, tensor(piece)).numpy()
        if i < len(levels) - 1:  # by hand: a layer on what is known, beside the way past it
            known = piece if i == 0 else np.concatenate([before, piece], axis=-1)
            (layer,) = down.down[i].layers
            new = np.tanh(known @ layer.weight.numpy() + layer.bias.numpy())
            np.testing.assert_allclose(state, new if i == 0 else before + new, rtol=1e-12)
    np.testing.assert_allclose(down(z).numpy(), state, rtol=1e-12)
    last = pieces[-1] if len(levels) == 1 else np.concatenate([before, pieces[-1]], axis=-1)
    np.testing.assert_allclose(state, last, rtol=1e-12)
    assert down.outputs == state.shape[-1] == levels[-1] + WIDTH * (len(levels) > 1)


def test_features_go_up_past_a_layer_for_each_level_the_deepest_for_the_top(rng):
    up = BottomUpMLP(6, (7, 3), (2, 1, 4), WIDTH, backend.generator(0), dtype="float64")
    x = rng.normal(size=(M, 6))
    found = [h.numpy() for h in up(x)]
    expected = [up.hidden(x).numpy()]
    for layer in up.up:
        expected.insert(0, expected[0] + layer(expected[0]).numpy())
    assert len(found) == 3
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
    features, state = [tensor(h) for h in found], tensor(rng.normal(size=(M, WIDTH)))
    for level, length in enumerate((2, 1, 4)):
        shift, log_ratio = up.offsets(features, level, state if level else None)
        assert shift.shape == log_ratio.shape == (M, length)
        assert (shift.numpy() != log_ratio.numpy()).all()
