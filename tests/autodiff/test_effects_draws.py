"""Noise as primitives: what is drawn, where, and that hooks see it."""

import numpy as np
import pytest

from minivae import backend
from minivae.autodiff import hooked, standard_normal, uniform
from minivae.errors import InputError

DRAWS = [(standard_normal, "standard_normal"), (uniform, "uniform")]


@pytest.mark.parametrize(("draw", "name"), DRAWS)
def test_draws_are_those_of_the_generator(draw, name, backend_name):
    found = draw(backend.generator(3, backend_name), (2, 3))
    expected = getattr(backend.generator(3, backend_name), name)((2, 3))
    assert found.dtype == np.float32
    assert not found.requires_grad
    assert backend.backend_of(found.data).name == backend_name
    np.testing.assert_array_equal(found.numpy(), backend.to_numpy(expected))


@pytest.mark.parametrize(("draw", "name"), DRAWS)
def test_each_draw_is_new_and_seeds_differ(draw, name):
    generator = backend.generator(3)
    first, second = (draw(generator, (1000,), "float64").numpy() for _ in range(2))
    other = draw(backend.generator(4), (1000,), "float64").numpy()
    assert len(np.unique([first, second, other])) == 3000
    assert first.dtype == np.float64


@pytest.mark.parametrize(("draw", "mean", "variance"), [(standard_normal, 0.0, 1.0), (uniform, 0.5, 1 / 12)])
def test_moments(draw, mean, variance):
    x = draw(backend.generator(5), (100_000,), np.float64).numpy()
    assert abs(x.mean() - mean) < 5 * np.sqrt(variance / x.size)
    assert x.var() == pytest.approx(variance, rel=0.03)


@pytest.mark.parametrize(("draw", "name"), DRAWS)
def test_hooks_see_the_draw_with_its_attributes(draw, name):
    seen = []
    generator = backend.generator(0)
    with hooked(lambda primitive, inputs, attributes, output: seen.append((primitive.name, inputs, attributes))):
        draw(generator, [2])
    assert seen == [(name, (), {"generator": generator, "shape": (2,), "dtype": np.dtype("float32")})]


@pytest.mark.parametrize(("shape", "dtype"), [((2,), "float32"), ((3,), "float64")])
def test_a_generator_of_ones_own_draws_what_it_is_asked_for(shape, dtype):
    class Constant(backend.Generator):
        def standard_normal(self, *_):
            return np.ones(shape, dtype)

    with pytest.raises(InputError, match=r"generator drew .*; expected float32 of shape \(3,\)"):
        standard_normal(Constant(0), (3,))
