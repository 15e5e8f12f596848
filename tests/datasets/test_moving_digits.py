"""Moving digits: each picture is the one before it, a pixel to the right or to the left."""

from hashlib import sha256

import numpy as np

from minivae.datasets import load

STEPS = 20
DIGEST = "3697718dcb3b08d9ad0b1df7fecd9fa968ef8f525d0939db636b3e17e94ff8eb"


def frames(part):
    return part.images.reshape(len(part), STEPS, 8, 8)


def test_every_digit_goes_one_way_round_by_a_pixel_a_step():
    data, still = load("moving-digits"), load("digits")
    for part, from_part in ((data.train, still.train), (data.test, still.test)):
        x = frames(part)
        right = (np.roll(x[:, :-1], 1, axis=-1) == x[:, 1:]).all(axis=(1, 2, 3))
        left = (np.roll(x[:, :-1], -1, axis=-1) == x[:, 1:]).all(axis=(1, 2, 3))
        assert (right | left).all()
        assert 0.4 < (right & ~left).mean() < 0.6
        np.testing.assert_array_equal(x[:, 8], x[:, 0])  # once round
        digits = (from_part.images.reshape(-1, 8, 8) >= 8).astype(int)
        begins = np.stack([np.roll(digits, k, axis=-1) for k in range(8)], axis=1)
        matches = (begins == x[:, :1]).all(axis=(2, 3))
        assert matches.any(axis=1).all()
        assert (matches[:, 1:].mean(axis=0) > 0.07).all()  # they begin anywhere
        np.testing.assert_array_equal(part.labels, from_part.labels)


def test_what_the_set_says_of_itself():
    data = load("moving-digits", seed=5)
    assert (len(data.train), len(data.test), data.sequence_length) == (1500, 297, STEPS)
    assert data.image_shape == (STEPS * 8, 8)
    assert set(np.unique(data.train.images)) == {0, 1}
    assert "20" in data.describe()
    assert data.account["sequence_length"] == STEPS
    assert "sequence_length" not in load("digits").account


def test_the_values_are_those_of_every_release():
    data = load("moving-digits")
    found = sha256(np.packbits(np.concatenate([data.train.images, data.test.images])).tobytes()).hexdigest()
    assert found == DIGEST
