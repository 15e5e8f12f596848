"""The learning curve: every given value drawn, gaps passed over, a frame that shows the end."""

import numpy as np
import pytest

from minivae import plots


def history(rows=30, first=0.0, every=5):
    """A training like a real one: test values at each ``every``-th row, the first bound ``first`` lower."""
    seen = 1_437 * np.arange(1, rows + 1)
    kl = 6.5 * (1 - np.exp(-seen / 9_000))
    reconstruction = -14 - 22 * np.exp(-seen / 6_000)
    reconstruction[0] -= first
    columns = {"bound": reconstruction - kl, "reconstruction": reconstruction, "kl": kl}
    result = {"samples_seen": seen.tolist(), "seconds": (seen / 1e4).tolist()}
    for name, column in columns.items():
        result[f"train_{name}"] = column.tolist()
        result[f"test_{name}"] = [v - 1 if (i + 1) % every == 0 else np.nan for i, v in enumerate(column)]
    return result


def test_train_and_test_are_drawn_with_their_numbers(path, drawn):
    data = history()
    plots.learning_curve(data, path)
    bound, reconstruction, kl = drawn[0].panels
    assert [panel.title for panel in drawn[0].panels] == ["lower bound", "reconstruction", "KL divergence"]
    assert all(p.labels == ("training samples seen", "nats per data point") for p in drawn[0].panels)
    for panel, name in ((bound, "bound"), (reconstruction, "reconstruction"), (kl, "kl")):
        train, test = panel.lines
        np.testing.assert_array_equal(train, np.column_stack([data["samples_seen"], data[f"train_{name}"]]))
        expected = [(s, v) for s, v in zip(data["samples_seen"], data[f"test_{name}"], strict=True) if v == v]
        np.testing.assert_array_equal(test, expected)
    last = f"train {data['train_bound'][-1]:.5g}, test {data['test_bound'][-1]:.5g} nats per data point"
    assert f"Bound after 43,110 samples: {last}".replace("-", "−") in drawn[0].texts
    assert {"train", "test"} <= set(drawn[0].texts)


def test_cells_may_be_text_as_in_a_csv_and_empty(path, drawn):
    text = {name: ["" if v != v else str(v) for v in column] for name, column in history().items()}
    plots.learning_curve(text, path)
    plots.learning_curve(history(), path)
    for one, other in zip(drawn[0].panels, drawn[1].panels, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(one.lines, other.lines, strict=True))


def test_a_far_first_value_is_cut_and_told(path, drawn):
    plots.learning_curve(history(first=500), path)
    plots.learning_curve(history(), path)
    cut, whole = (summary.panels[0] for summary in drawn)
    assert cut.ylim[0] > -80
    assert cut.title == f"lower bound\nout of frame: {history(first=500)['train_bound'][0]:.4g}".replace("-", "−")
    assert whole.title == "lower bound"
    assert whole.ylim[0] < min(history()["train_bound"])


def test_values_far_off_on_both_sides_are_told_within_a_narrow_panel(path, drawn):
    data = history(every=1)
    data["train_kl"][:2] = [-1234.5, 8765.4]
    plots.learning_curve(data, path)
    assert drawn[0].panels[2].title == "KL divergence\nout of frame: −1,234 and 8,765"


@pytest.mark.parametrize(("rows", "scale"), [(30, "log"), (10, "log"), (9, "linear"), (1, "linear")])
def test_the_axis_is_logarithmic_over_a_decade(path, drawn, rows, scale):
    plots.learning_curve(history(rows, every=1), path)
    assert {panel.scale for panel in drawn[0].panels} == {scale}


@pytest.mark.parametrize("given", [("train_bound",), ("train_bound", "test_bound", "train_kl")])
def test_what_is_not_given_has_no_panel(path, drawn, given):
    data = history()
    plots.learning_curve({name: data[name] for name in ("samples_seen", *given)}, path)
    assert len(drawn[0].panels) == 1 + ("train_kl" in given)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_small_and_large_bounds_keep_their_labels_apart(path, scale):
    seen = np.unique(np.logspace(3, 8.4, 60).round())
    bound = scale * (1 - np.exp(-seen / 1e6))
    columns = {f"{s}_{t}": bound for s in ("train", "test") for t in ("bound", "reconstruction", "kl")}
    plots.learning_curve({"samples_seen": seen, **columns}, path)


def test_a_constant_bound_and_a_start_at_zero_samples_are_drawn(path):
    plots.learning_curve({"samples_seen": [0, 10, 1000], "train_bound": [-5.0, -5.0, -5.0]}, path)
    plots.learning_curve({"samples_seen": [0], "train_bound": [0.0]}, path)


def test_an_infinite_value_is_passed_over(path, drawn):
    plots.learning_curve({"samples_seen": [1, 2, 3], "train_bound": [-np.inf, -2.0, -1.0]}, path)
    np.testing.assert_array_equal(drawn[0].panels[0].lines[0], [[2, -2], [3, -1]])
