"""``minivae evaluate``: on average, row by row, and of other data."""

import csv
import shutil

import numpy as np
import pytest

from minivae import datasets
from minivae.models import MODELS
from minivae.models.registry import arguments
from minivae.runs import Run

from ..models.members import EVERY_MEMBER_BY_COMMANDS

KEYS = {"bound", "reconstruction", "kl", "log_likelihood", "log_likelihood_stderr", "importance_samples"}


def test_evaluate_gives_the_bound_of_training_and_a_larger_likelihood(cli, trained):
    result = cli("evaluate", trained, "--importance-samples", 50, "--json").json
    assert result.keys() >= KEYS
    assert result["bound"] == Run.open(trained).load_history().rows[-1]["test_bound"]
    assert result["bound"] == pytest.approx(result["reconstruction"] - result["kl"], rel=1e-5)
    assert (result["importance_samples"], result["points"]) == (50, 297)
    assert 0 < result["log_likelihood_stderr"] < 0.5
    assert result["log_likelihood"] > result["bound"] - 3 * result["log_likelihood_stderr"]


def test_evaluate_in_words(cli, trained):
    said = cli("evaluate", trained, "--importance-samples", 7, "--points", 50)
    assert said.code == 0
    for part in ("test bound", "reconstruction", "KL", "log p(x)", "+-", "nats", "K = 7", "50 points", "z drawn once"):
        assert part in said.out
    assert "fewer than 10, too few to say how many are effective" in said.out
    assert "in expectation it lies below log p(x), the nearer the larger K" in said.out
    few, enough = (cli("evaluate", trained, "--importance-samples", k, "--points", 50, "--json").json for k in (9, 10))
    assert (few["effective_samples"], few["log_likelihood_side"]) == (None, "below")
    assert 1 <= enough["effective_samples"] <= 10


@pytest.mark.usefixtures("no_figures")
@pytest.mark.parametrize(
    ("model", "options", "says"),
    [
        ("cvae", (), ("a bound on log p(x|y)", "log p(x|y)   -", "lies below log p(x|y)")),
        ("miwae", ("--groups", 2, "--samples", 3), ("z drawn 6 times for each", "log p(x)     -")),
        ("wae-mmd", (), ("no z drawn", "log p(x)     is not there")),
        ("made", (), ("no z drawn", "exact, mean over 5 points")),
    ],
)
def test_evaluate_says_of_what_and_from_how_many_draws(cli, model, options, says):
    assert cli("train", "--model", model, *options, "--epochs", 1, "--hidden", 8, "--out", "run", "--quiet").code == 0
    said = cli("evaluate", "run", "--points", 5)
    assert said.code == 0
    for part in says:
        assert part in said.out
    if model in ("made", "wae-mmd"):  # not passed over in silence
        asked = cli("evaluate", "run", "--points", 5, "--importance-samples", 12)
        assert (asked.code, asked.out, asked.err.count("\n")) == (2, "", 1)
        assert "--importance-samples is 12, but " in asked.err
    if model == "cvae":
        found = cli("evaluate", "run", "--points", 5, "--importance-samples", 12, "--json").json
        assert (found["log_likelihood_quantity"], found["importance_samples"]) == ("log p(x|y)", 12)


def test_the_standard_error_is_the_spread_over_seeds(cli, trained):
    """Over few points and few samples, both sources of error count."""
    results = [
        cli("evaluate", trained, "--importance-samples", 5, "--points", 60, "--seed", seed, "--json").json
        for seed in range(40)
    ]
    spread = np.std([r["log_likelihood"] for r in results], ddof=1)
    stated = np.mean([r["log_likelihood_stderr"] for r in results])
    # The standard deviation of 40 draws is itself known to 11%; 3.5 times that, and some bias.
    assert 0.55 < spread / stated < 1.5


def test_more_importance_samples_raise_the_estimate_and_lower_its_error(cli, trained):
    few, many = (cli("evaluate", trained, "--importance-samples", k, "--json").json for k in (2, 200))
    assert many["log_likelihood"] > few["log_likelihood"]
    assert many["log_likelihood_stderr"] < few["log_likelihood_stderr"]


# --------------------------------------------------------------- row by row


def rows_of(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_each_row_has_its_bound_and_its_likelihood(cli, trained):
    said = cli("evaluate", trained, "--rows", "rows.csv", "--importance-samples", 30, "--json").json
    rows, digits = rows_of("rows.csv"), datasets.load("digits")
    assert [int(row["label"]) for row in rows] == digits.test.labels.tolist()
    bound, reconstruction, kl, likelihood = (
        np.array([float(row[name]) for row in rows]) for name in ("bound", "reconstruction", "kl", "log_likelihood")
    )
    np.testing.assert_allclose(bound, reconstruction - kl, rtol=1e-4)
    assert kl.mean() == pytest.approx(said["kl"], rel=1e-4)  # without noise, the same whatever the order
    assert bound.mean() == pytest.approx(said["bound"], abs=0.2)
    assert likelihood.mean() == pytest.approx(said["log_likelihood"], rel=1e-6)
    assert (likelihood.mean() > bound.mean(), said["points"], said["rows"]) == (True, 297, "rows.csv")


SEQUENCES = len(datasets.load("moving-digits").test)


@pytest.mark.usefixtures("no_figures")
@EVERY_MEMBER_BY_COMMANDS
def test_the_rows_of_every_model(cli, name):
    small = ("--critic-hidden", 20) if "critic_hidden" in arguments(MODELS[name]) else ()
    assert cli("train", "--model", name, *small, "--hidden", 8, "--epochs", 1, "--out", "run", "--quiet").code == 0
    said = cli("evaluate", "run", "--rows", "rows.csv", "--points", 5, "--json")
    if name == "gan":
        assert (said.code, "GAN has no encoder" in said.err, said.err.count("\n")) == (2, True, 1)
        return
    assert (said.code, said.err) == (0, "")
    rows = rows_of("rows.csv")
    parts = [part for part in ("bound", "reconstruction", "kl") if part in rows[0]]
    assert (len(rows), "log_likelihood" in rows[0]) == (SEQUENCES if name == "td-vae" else 297, False)
    for part in parts if name != "td-vae" else ():  # whose loss is of two steps, and whose bound is of all
        mean = np.mean([float(row[part]) for row in rows])
        if name != "vq-vae" or part != "bound":
            assert mean == pytest.approx(said.json[part], rel=0.05, abs=0.3)
    assert parts


# ------------------------------------------------------------- other data


@pytest.fixture
def own(cli, no_figures, rng):
    """A run on a file of the user's own, and its values."""
    values = rng.random((60, 16)).astype(np.float32)
    np.save("own.npy", values)
    assert cli("train", "--data", "own.npy", "--hidden", 8, "--epochs", 2, "--out", "run", "--quiet").code == 0
    return values


def test_data_that_have_moved_are_the_same_data(cli, own, tmp_path):
    before = cli("evaluate", "run", "--json").json
    (tmp_path / "own.npy").rename(tmp_path / "moved.npy")
    gone = cli("evaluate", "run")
    assert (gone.code, "own.npy" in gone.err, "--data FILE" in gone.err) == (2, True, True)
    after = cli("evaluate", "run", "--data", "moved.npy", "--json").json
    assert (after["bound"], after["part"], "data_differ" in after) == (before["bound"], "test", False)
    np.savez(tmp_path / "packed.npz", images=own)  # nor does the format matter
    assert cli("evaluate", "run", "--data", "packed.npz", "--json").json["bound"] == before["bound"]


def test_other_data_are_said_to_be_others_and_all_of_them_are_taken(cli, own, rng):
    np.save("new.npy", rng.random((20, 16)))
    said = cli("evaluate", "run", "--data", "new.npy", "--rows", "rows.csv", "--importance-samples", 5)
    assert said.code == 0
    first, second = said.out.splitlines()[:2]
    assert "new.npy holds other data, or in other parts, than run was trained on" in first
    assert second.startswith("all bound")
    assert [int(row["row"]) for row in rows_of("rows.csv")] == list(range(20))  # as they lie in the file
    assert {row["part"] for row in rows_of("rows.csv")} == {"all"}  # none was kept from training
    assert "; all 20 points of it are taken" in first


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_of_other_data_there_is_no_part_but_their_own(cli, refused, own, rng, part):
    """What would be drawn of them by the run's seed is no part that the run has kept from training, or not."""
    np.save("new.npy", rng.random((20, 16)))
    for command in (["evaluate"], ["encode", "--out", "x.csv"], ["reconstruct", "--out", "x.csv"], ["plot"]):
        line = refused(command[0], "run", *command[1:], "--data", "new.npy", "--part", part)
        assert f"part is '{part}', but new.npy is not what the run was trained on" in line
        assert "expected all" in line
    np.savez("parts.npz", train=rng.random((20, 16)), val=rng.random((4, 16)), test=rng.random((5, 16)))
    said = cli("evaluate", "run", "--data", "parts.npz", "--part", part, "--rows", "rows.csv")
    count = {"train": 20, "validation": 4, "test": 5}[part]
    assert f"{count} {part} points of it are taken" in said.out.splitlines()[0]
    assert [row["part"] for row in rows_of("rows.csv")] == [part] * count


def test_data_that_changed_in_place_have_no_part_that_was_kept_from_training(cli, refused, own, rng):
    np.save("own.npy", rng.random((90, 16)))
    assert cli("evaluate", "run", "--json").json["part"] == "all"
    assert "expected all" in refused("interpolate", "run", 0, 1, "--part", "test", "--out", "way.npz")


def test_labels_in_a_file_of_the_run_s_are_not_those_of_other_data(cli, own, rng):
    labels = np.arange(60) % 3
    np.save("labels.npy", labels)
    words = ("--hidden", 8, "--epochs", 1, "--quiet")
    assert cli("train", "--data", "own.npy", "--labels", "labels.npy", *words, "--out", "told").code == 0
    np.save("new.npy", rng.random((60, 16)))
    said = cli("encode", "told", "--data", "new.npy", "--out", "codes.npz")
    assert (said.code, "with labels" in said.out, "label" in np.load("codes.npz")) == (0, False, False)
    said = cli("encode", "told", "--data", "new.npy", "--labels", "labels.npy", "--out", "codes.npz")
    assert "all 60 points of it are taken, with labels" in said.out
    np.testing.assert_array_equal(np.load("codes.npz")["label"], labels)
    np.save("own.npy", own)
    assert cli("encode", "told", "--data", "own.npy", "--out", "codes.npz").code == 0  # its own have them
    np.testing.assert_array_equal(np.load("codes.npz")["label"], labels)


def write_csv(path, columns):
    rows = zip(*columns.values(), strict=True)
    path.write_text("\n".join([",".join(columns), *(",".join(map(str, row)) for row in rows)]) + "\n")


def test_other_data_may_lack_the_labels_and_the_array_that_the_run_s_had(cli, no_figures, rng, tmp_path):
    first, second = rng.normal(size=(2, 40)).round(4)
    kinds = np.array(["hen", "fox"])[np.arange(40) % 2]
    write_csv(tmp_path / "own.csv", {"a": first, "kind": kinds, "b": second})
    words = ("--hidden", 4, "--epochs", 1, "--quiet")
    assert cli("train", "--data", "own.csv", "--labels", "kind", *words, "--out", "run").code == 0
    write_csv(tmp_path / "new.csv", {"b": second, "a": first})
    codes = {}
    for name in ("own", "new"):
        assert cli("encode", "run", "--data", f"{name}.csv", "--out", f"{name}.npz").code == 0
        codes[name] = np.load(f"{name}.npz")
    np.testing.assert_array_equal(codes["own"]["mean"], codes["new"]["mean"])
    assert ("label" in codes["own"], "label" in codes["new"]) == (True, False)
    both = {"wanted": np.stack([first, second], axis=1), "other": rng.normal(size=(30, 2))}
    np.savez("two.npz", **both)
    assert cli("train", "--data", "two.npz", "--array", "wanted", *words, "--out", "two").code == 0
    np.save("plain.npy", both["other"])
    for source in (["--data", "plain.npy"], ["--data", "two.npz", "--array", "other"]):
        assert cli("encode", "two", *source, "--out", "codes.npy").code == 0
        assert len(np.load("codes.npy")) == 30


def test_how_the_run_s_data_were_parted_says_nothing_of_others(cli, own, rng):
    words = ("--validation", 0.2, "--split", "contiguous", "--hidden", 8, "--epochs", 1, "--quiet")
    assert cli("train", "--data", "own.npy", *words, "--out", "parted").code == 0
    np.savez("parts.npz", train=rng.random((20, 16)), val=rng.random((4, 16)), test=rng.random((5, 16)))
    said = cli("evaluate", "parted", "--data", "parts.npz", "--part", "validation", "--importance-samples", 2)
    assert (said.code, "4 validation points of it are taken" in said.out) == (0, True)


def test_rows_that_patience_set_apart_are_the_run_s_validation_part(cli, own):
    words = ("--patience", 2, "--epochs", 2, "--hidden", 8, "--out", "patient", "--json")
    trained = cli("train", "--data", "own.npy", *words).json
    assert Run.open("patient").facts["points"] == {"train": 49, "validation": 5, "test": 6}
    for part in ("train", "validation", "test"):
        again = cli("evaluate", "patient", "--part", part, "--importance-samples", 2, "--json").json
        assert again["bound"] == pytest.approx(trained[f"{part}_bound"], rel=1e-6)


@pytest.mark.parametrize("change", [lambda x: x[::-1], lambda x: x[:, ::-1], lambda x: np.nextafter(x, 1)])
def test_a_change_in_place_is_said(cli, own, change):
    np.save("own.npy", np.ascontiguousarray(change(own)))
    assert "holds other data" in cli("evaluate", "run").out
    resumed = cli("train", "--resume", "run", "--epochs", 3)
    assert (resumed.code, resumed.err.count("\n")) == (2, 1)
    assert "holds other data" in resumed.err
    assert "--init-from run" in resumed.err


def test_a_run_goes_on_where_its_data_have_moved(cli, own, tmp_path):
    (tmp_path / "own.npy").rename(tmp_path / "moved.npy")
    assert cli("train", "--resume", "run", "--data", "moved.npy", "--epochs", 3, "--quiet").code == 0
    assert cli("evaluate", "run").code == 0  # it knows where they are now
    assert Run.open("run").config["options"]["data"] == str(tmp_path / "moved.npy")


def test_values_that_the_likelihood_has_not_are_refused(refused, own):
    np.save("new.npy", own * 300)
    assert "expected values in [0, 1]" in refused("evaluate", "run", "--data", "new.npy")
    assert "expected values in [0, 1]" in refused("encode", "run", "--data", "new.npy", "--out", "codes.csv")


def test_rows_in_a_file_that_is_no_table_and_parts_that_are_not_there(refused, own):
    assert ".csv" in refused("evaluate", "run", "--rows", "rows.txt")
    assert "part is 'validation', but" in refused("evaluate", "run", "--part", "validation")


# ------------------------------------------------------ nats of the raw values


@pytest.fixture
def in_units(cli, no_figures, rng):
    """``in_units(units, ...)``: what evaluating says of a table in units of its own, and its rows."""
    table = np.exp(rng.normal(size=(80, 3)) @ rng.normal(size=(3, 4)) * 0.3)

    def evaluated(units, *options):
        np.save("own.npy", table * units)
        train = ("train", "--data", "own.npy", "--hidden", 8, "--epochs", 2, "--batch-size", 20, "--out", "run")
        trained = cli(*train, *options, "--json")
        assert trained.code == 0, trained.err
        found = cli("evaluate", "run", "--rows", "rows.csv", "--importance-samples", 5, "--json").json
        shutil.rmtree("run")
        return trained.json, found, rows_of("rows.csv")

    return evaluated


def column(rows, name):
    return np.array([float(row[name]) for row in rows])


@pytest.mark.parametrize("prepare", ["standardize", "unit"])
def test_a_table_and_its_copy_in_other_units_differ_by_the_logarithms_of_the_units(in_units, prepare):
    options, units = ("--likelihood", "gaussian", "--prepare", prepare), 10.0 ** np.array([-6, -1, 3, 6])
    (_, plain, _), (trained, other, rows) = in_units(1.0, *options), in_units(units, *options)
    for name in ("bound", "log_likelihood"):
        # Standardized, both are the same numbers but for rounding, and so are their models.
        assert other[name] == pytest.approx(plain[name], abs=1e-3)
        raw = f"{name}_raw"
        assert other[raw] - plain[raw] == pytest.approx(-np.log(units).sum(), abs=1e-3)
        np.testing.assert_allclose(column(rows, raw) - column(rows, name), other[raw] - other[name], atol=1e-4)
    assert trained["test_bound_raw"] == pytest.approx(other["bound_raw"], abs=1e-9)
    assert trained["train_bound_raw"] - trained["train_bound"] == pytest.approx(
        trained["test_bound_raw"] - trained["test_bound"], abs=1e-4
    )
    assert other["log_likelihood_raw_stderr"] == pytest.approx(other["log_likelihood_stderr"], rel=1e-6)


def test_the_jacobian_of_logarithms_is_each_points_own(in_units):
    _, found, rows = in_units(1.0, "--prepare", "log1p")
    raw = np.load("own.npy")[[int(row["row"]) for row in rows]]
    jacobian = -np.log1p(raw).sum(axis=1)
    assert np.ptp(jacobian) > 0.1
    for name in ("bound", "log_likelihood"):
        np.testing.assert_allclose(column(rows, f"{name}_raw") - column(rows, name), jacobian, atol=1e-4)
        assert found[f"{name}_raw"] - found[name] == pytest.approx(jacobian.mean(), abs=1e-4)


@pytest.mark.usefixtures("no_figures")
def test_words_say_which_nats_and_data_as_they_are_have_one_kind(cli, trained):
    for options, times, why in (
        (("--prepare", "standardize"), 2, "the Jacobian of their preparation is added"),
        (("--prepare", "unit", "--likelihood", "gaussian"), 2, "the Jacobian of their preparation is added"),
        (("--prepare", "unit", "--likelihood", "bernoulli"), 2, "probabilities have no unit"),
        (("--likelihood", "gaussian", "--prepare", "none"), 0, "no nats"),
    ):
        np.save("own.npy", np.random.default_rng(0).normal(size=(50, 4)))
        out = "run" + "".join(options)
        words = ("train", "--data", "own.npy", "--hidden", 8, "--epochs", 1, "--batch-size", 20, "--out", out)
        of_training, of_run = cli(*words, *options, "--quiet"), cli("evaluate", out, "--rows", "rows.csv")
        assert (of_training.code, of_run.code) == (0, 0)
        assert of_training.out.count("nats of the raw values") == of_run.out.count("nats of the raw values") == times
        assert of_training.out.count(f": {why}") == of_run.out.count(f": {why}") == times
        assert ("bound_raw" in rows_of("rows.csv")[0]) == bool(times)
    assert not [name for name in cli("evaluate", trained, "--json").json if "raw" in name]
