"""Reconstructions of a table against its values: a panel for each column, with its name and R²."""

import numpy as np
import pytest

from minivae import plots


def table(rng, columns, rows=60):
    """Values in units of their own, and what a model might make of them."""
    x = rng.normal(size=(rows, columns)) * 10.0 ** rng.integers(-6, 7, columns)
    return x, x * 0.9 + 0.1 * x.mean(axis=0)


@pytest.mark.parametrize("columns", [1, 3, 4, 7, 20, 50])
def test_a_panel_for_each_of_the_first_twenty_columns(path, drawn, rng, columns):
    names = [f"speed_{i}" for i in range(columns)]
    x, rebuilt = table(rng, columns)
    plots.columns(x, rebuilt, names, path)
    shown = [panel for panel in drawn[0].panels if panel.title]
    assert [panel.title for panel in shown] == [f"{name}\nR² 0.99" for name in names[:20]]
    for i, panel in enumerate(shown):
        np.testing.assert_array_equal(panel.lines[0], np.stack([x[:, i], rebuilt[:, i]], axis=1))
    more = [text for text in drawn[0].texts if "columns" in text]
    assert more == (["Reconstructions against values, the first 20 of 50 columns"] if columns == 50 else [])


def test_the_share_kept_is_that_of_the_variance(path, drawn, rng):
    x = rng.normal(size=(50, 2))
    rebuilt = x + rng.normal(size=(50, 2)) * [0.1, 3.0]
    plots.columns(x * 1e200, rebuilt * 1e200, path=path)
    expected = 1 - (x - rebuilt).var(axis=0) / x.var(axis=0)
    assert [panel.title for panel in drawn[0].panels] == [
        f"x_{i + 1}\nR² {share:.3g}".replace("-", "\N{MINUS SIGN}") for i, share in enumerate(expected)
    ]


def test_one_value_has_no_share_and_names_are_taken_as_they_are(path, drawn):
    x = np.full((5, 2), 7.0)
    plots.columns(x, x + 0.5, ["a $b^", "the temperature of the room"], path)
    assert [panel.title for panel in drawn[0].panels] == ["a $b^\none value", "the temperature…\none value"]
