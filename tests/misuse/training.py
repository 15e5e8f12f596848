"""The rows of ``datasets`` and ``training``."""

from __future__ import annotations

import math
import sys
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np

from minivae import backend, datasets, runs, training
from minivae.datasets import Dataset, Split
from minivae.datasets.domain import REAL, UNIT, Domain, categories, holds
from minivae.datasets.preparation import Preparation, fitted, for_columns
from minivae.models import VAE

from .subject import (
    BACKENDS,
    COUNTS,
    DTYPES,
    GENERATORS,
    NO_SWITCHES,
    NUMBERS_ABOVE_0,
    NUMBERS_FROM_0,
    Says,
    misuse,
)

GENERATOR = backend.generator(0)
SEEDS = (-1, 1.5, "0", None)
IMAGES = np.arange(32, dtype=np.uint8).reshape(8, 4)
LABELS = np.arange(8) % 2
NO_PATHS = (3, None, "", Says("nowhere/x.png", "No such", "nowhere/x.png"))

# ------------------------------------------------------------------- datasets

SPLIT = Split(IMAGES, LABELS)
NO_SPLITS = (None, IMAGES)
NO_IMAGES = (None, "x", np.ones(3), np.array([["a"]]), [[1.0, 2.0]])
KINDS = ("Unit", "standard", 3, None)
NO_PREPARATIONS = (3, "unit")
OF_THREE = Preparation("unit", np.zeros(3), np.ones(3))
WHOLE = {"name": "mine", "train": SPLIT, "test": SPLIT, "image_shape": (2, 2), "scale": 255.0, "split": "mine"}
DATASET = Dataset(**WHOLE)
misuse(
    Split,
    {"images": IMAGES, "labels": LABELS, "rows": np.arange(8)},
    images=NO_IMAGES,
    rows=(np.ones(3, int), np.ones(8), "x", np.ones((8, 1), int)),
    labels=(np.ones(3, int), np.ones(8), "x", np.ones((8, 1), int)),
)
misuse(Split.sample, {"count": 2, "seed": 0}, call=SPLIT.sample, count=COUNTS, seed=SEEDS)
misuse(
    Dataset,
    WHOLE,
    train=NO_SPLITS,
    test=(*NO_SPLITS, Says(Split(np.ones((2, 3))), "3 columns")),
    validation=(3, IMAGES, Says(Split(np.ones((2, 3))), "3 columns")),
    image_shape=(3, "x", (3, 3)),
    scale=NUMBERS_ABOVE_0,
    source=(3, "x", None),
    columns=(3, "abcd", ("a", "b")),
    class_names=(3, "ab"),
    preparation=(*NO_PREPARATIONS, Says(OF_THREE, "3 values")),
    account=(None, "x"),
    sequence_length=(0, 3, 1.5, "2", None),
)
misuse(Dataset.prepared, {"kind": "unit"}, call=DATASET.prepared, kind=KINDS)
NO_ARRAYS = ("x", np.ones(3), np.array([["a"]]), [[1.0], [1.0, 2.0]])
misuse(
    Dataset.from_arrays,
    {"train": IMAGES, "test": IMAGES, "validation": None},
    train=(None, *NO_ARRAYS),
    test=(*NO_ARRAYS, Says(np.ones((2, 3)), "(2, 3)")),
    validation=(*NO_ARRAYS, 0.0, 1.5),
    labels=(Says(np.ones(3, int), "(3,)"),),
    test_labels=(Says(LABELS[:3], "(3,)", "labels"),),
    validation_labels=(Says(LABELS, "validation_labels is"),),
    columns=(3, "abcd", ("a", "b")),
    split=("Random", 3, Says("random", "'random'")),
    seed=SEEDS,
    sequence_length=(0, 3, 1.5, "2"),
)
misuse(
    datasets.load,
    {"name_or_path": "digits", "split": None, "seed": 0},
    name_or_path=("digit", 3, None, Says("missing.npy", "missing.npy")),
    split=("Random", 3),
    seed=SEEDS,
    validation=(0, 1, 1.0, -0.1, "0.1", math.nan),
    array=(3, "images"),
    points_axis=("1", 0.5, 1),
    labels=(3, "labels"),
    colour=("Grey", 3, "rgb"),
    size=(8, "8x8", (8,), (8, 0), (8, 8)),
    header=("yes", 1, True),
    labelled=(0, -1, 1.5, "30", Says(3, "multiple of the 10 classes"), Says(10_000, "up to")),
    sequence_length=(0, 1.5, "2", 2),
)
misuse(
    datasets.one_hot,
    {"labels": LABELS, "classes": 2},
    labels=(
        Says(np.array([2]), "between 2 and 2"),
        Says(np.array([-1]), "between -1 and -1"),
        np.ones(2),
        "x",
        None,
        np.ones((2, 1), int),
    ),
    classes=(*COUNTS[:-2], Says(1, "between 0 and 1")),
)
misuse(
    datasets.keep_labels,
    {"dataset": DATASET, "labelled": 4, "seed": 0},
    dataset=(None, IMAGES, Says(Dataset(**WHOLE | {"train": Split(IMAGES)}), "no labels", "mine")),
    labelled=(*COUNTS[:-2], Says(3, "multiple of the 2 classes"), Says(10, "up to 8")),
    seed=SEEDS,
)
misuse(
    datasets.require_domain,
    {"dataset": DATASET, "domain": UNIT},
    dataset=(None, IMAGES, Says(Dataset(**WHOLE | {"scale": 1.0}), "from 0 to 31", "mine")),
    domain=(None, "unit"),
)

# ------------------------------------------------- what a model sees of values

NO_NUMBERS = ("x", None, np.array(["a"]), [[1.0], [1.0, 2.0]])
misuse(
    Preparation,
    {"kind": "unit", "shift": [0.0, 0.0], "scale": [1.0, 1.0]},
    kind=(*KINDS, "none"),
    shift=(*NO_NUMBERS, 0.0, [np.nan, 0.0], Says([0.0], "[1.0, 1.0]", "scale")),
    scale=(*NO_NUMBERS, 1.0, [1.0], [np.inf, 1.0], [1.0, 0.0], [1.0, -1.0]),
)
for name in ("apply", "undo", "log_jacobian"):
    argument = "x" if name == "undo" else "raw"
    values = (*NO_NUMBERS, 1.0, np.ones(2), np.ones((4, 1)))
    misuse(getattr(Preparation, name), {argument: np.ones((4, 3))}, call=getattr(OF_THREE, name), **{argument: values})
UNKNOWN = {**OF_THREE.state(), "kind": np.array(9)}
misuse(
    Preparation.of_state,
    {"arrays": OF_THREE.state()},
    arrays=(None, 3, Says({}, "the preparation has", "preparation"), Says(UNKNOWN, "kind array(9)", "preparation")),
)
NO_PARTS = {"[()]": [None], "(3,)": [np.ones(3)], "(4, 2)": [np.ones((4, 3)), np.ones((4, 2))]}
misuse(
    fitted,
    {"kind": "unit", "parts": [np.ones((4, 3))], "scale": 1.0},
    kind=KINDS,
    parts=(
        None,
        3,
        [],
        Says([None], "[()]"),
        Says([np.ones(3)], "(3,)"),
        Says([np.ones((4, 3)), np.ones((4, 2))], "(4, 2)"),
    ),
    scale=NUMBERS_ABOVE_0,
)
misuse(categories, {"count": 2}, count=COUNTS)
PART = np.ones((2, 2))
misuse(
    Domain.require,
    {"parts": [PART]},
    call=lambda parts: UNIT.require("parts", parts),
    parts=[Says([PART * 3], "from 3 to 3"), Says([PART * np.nan], "a NaN")],
)
misuse(holds, {"domain": REAL, "parts": [PART]}, domain=(None, "unit", 3))
misuse(
    for_columns,
    {"preparation": OF_THREE, "columns": 3},
    preparation=NO_PREPARATIONS,
    columns=(Says(2, "3 values; expected 2", "preparation"),),
)

# ------------------------------------------------------------------- training

MODEL = VAE(4, 2, (3,))
NO_MODELS = (None, "vae", Says(VAE(5, 2, (3,)), "data_dim=5"))
NO_DATASETS = (None, "digits", IMAGES)
QUICK = {"epochs": 1, "batch_size": 4}
OPTIONS: dict[str, tuple] = {
    "epochs": COUNTS,
    "batch_size": COUNTS,
    "binarize": ("None", 3, None),
    "optimizer": ("Adam", 3, None),
    "lr": NUMBERS_ABOVE_0[:-2],
    "schedule": ("Cosine", 3, None),
    "patience": (0, 1.5, "1", True),
    "lr_warmup": NUMBERS_FROM_0,
    "kl_warmup": NUMBERS_FROM_0,
    "free_bits": NUMBERS_FROM_0,
    "kl_cycles": (0, 1.5, "1", True),
    "report_every": COUNTS,
    "seed": SEEDS,
    "optimizer_options": (3, "x", None),
    **dict.fromkeys(("weight_prior", "compile", "skip_nonfinite", "detect_anomaly"), NO_SWITCHES),
}
misuse(training.Settings, QUICK, **OPTIONS)
SETTINGS = training.Settings(**QUICK)
misuse(
    training.Trainer,
    {"model": MODEL, "dataset": DATASET, "settings": SETTINGS},
    model=NO_MODELS,
    dataset=NO_DATASETS,
    settings=(
        None,
        QUICK,
        Says(training.Settings(batch_size=9), "batch_size is 9", "batch_size"),
        Says(training.Settings(batch_size=4, optimizer_options={"beta": 1}), "'beta'", "optimizer_options"),
    ),
)


def fresh() -> training.Trainer:
    """A fresh one."""
    return training.Trainer(MODEL, DATASET, SETTINGS)


NO_CALLBACKS = (3, "x", Says([3], "callbacks[0] is 3", "callbacks"), Says([training.Callback], "the class Callback"))
SECONDS = (-1, "1", math.nan, math.inf, True)
misuse(training.CSVLogger, {"path": "log.csv", "seconds": 1}, path=(3, None), seconds=SECONDS)
misuse(runs.Pace, {"seconds": 1}, seconds=SECONDS)
misuse(training.TensorBoard, {"folder": "events"}, call=lambda folder: tensorboard(folder), folder=(3, None))


def tensorboard(folder: Any) -> training.TensorBoard:
    """One where the writer is installed."""
    with patch.dict(sys.modules, {"tensorboardX": SimpleNamespace(SummaryWriter=str)}):
        return training.TensorBoard(folder)


misuse(
    training.fit,
    {"model": MODEL, "dataset": DATASET, "progress": False, "settings": 4},
    call=lambda settings, **others: training.fit(**others, epochs=1, batch_size=settings),
    model=NO_MODELS,
    dataset=(None, "digits", Says(np.ones(3), "array([1., 1., 1.])", "train")),
    run=(3, "runs/x"),
    resume=NO_SWITCHES,
    progress=NO_SWITCHES,
    callbacks=NO_CALLBACKS,
    settings=(Says(0, "is 0", "batch_size"), Says(9, "is 9", "batch_size")),
)
misuse(
    training.run_to_end,
    {"progress": False},
    call=lambda trainer=None, **others: training.run_to_end(trainer or fresh(), **others),
    trainer=("x", 3),
    run=(3, "runs/x"),
    callbacks=NO_CALLBACKS,
)
STATE = fresh().state()
misuse(
    training.Trainer.load_state,
    {"arrays": STATE[0], "meta": STATE[1]},
    call=lambda **state: fresh().load_state(**state),
    arrays=(None, 3, Says({}, "missing")),
    meta=(None, 3, Says({}, "no settings")),
)
MINIBATCHES = training.Minibatches(SPLIT, 255.0, classes=2, binarize="dynamic")
misuse(
    training.Minibatches,
    {"split": SPLIT, "scale": 255.0, "classes": 2, "preparation": None},
    split=(*NO_SPLITS, Says(Split(IMAGES), "no labels")),
    preparation=(*NO_PREPARATIONS, Says(OF_THREE, "3 values")),
    scale=NUMBERS_ABOVE_0,
    binarize=("None", 3, None),
    dtype=DTYPES,
    backend=BACKENDS,
    classes=(-1, Says(1, "between 0 and 1"), 1.5, "2", None),
)
misuse(
    training.Minibatches.batch,
    {"rows": np.array([0, 1]), "generator": GENERATOR},
    call=MINIBATCHES.batch,
    rows=(np.array([8]), np.array([0.5]), "x", None),
    generator=GENERATORS,
)
misuse(
    training.Minibatches.one_hot,
    {"labels": LABELS},
    call=MINIBATCHES.one_hot,
    labels=(Says(np.array([2]), "between 2 and 2"), np.ones(2), "x", None),
)
misuse(
    training.Minibatches.fixed_order,
    {"batch_size": 3, "least": 1},
    call=lambda **sizes: list(MINIBATCHES.fixed_order(**sizes)),
    batch_size=COUNTS,
    least=COUNTS,
)
misuse(
    training.Minibatches.shuffled,
    {"batch_size": 3, "seed": 0, "epoch": 0},
    call=MINIBATCHES.shuffled,
    batch_size=(*COUNTS, 9),
    seed=SEEDS,
    epoch=SEEDS,
)
misuse(
    training.evaluate,
    {"model": MODEL, "minibatches": MINIBATCHES, "batch_size": 4, "seed": 0},
    model=(None, "vae"),
    minibatches=(None, Says(SPLIT, "Split(")),
    batch_size=COUNTS,
    seed=SEEDS,
)
ROW = {"epoch": 1, "bound": -2.0}
misuse(runs.History, {"rows": [ROW]}, rows=(3, None, [3]))
misuse(
    runs.History.append,
    {"row": 1.0},
    call=lambda row: runs.History().append(bound=row),
    row=[Says(value, f"bound is {value!r}", "bound") for value in ("x", None)],
)
misuse(runs.History.save, {"path": "h.csv"}, call=runs.History([ROW]).save, path=NO_PATHS)
misuse(
    runs.History.load,
    {"path": "there.csv"},
    call=lambda path: load_history(path),
    path=(Says("missing.csv", "No such file", "missing.csv"), 3, None),
)


def load_history(path: Any) -> Any:
    """What was saved under a name, which is made first if it should be there."""
    if path == "there.csv":
        runs.History([ROW]).save(path)
    return runs.History.load(path)


def run_named(folder: Any, config: Any = None) -> runs.Run:
    """A new run."""
    return runs.Run.create(folder, {"model": "vae"} if config is None else config)


def opened(folder: Any) -> runs.Run:
    """An existing run, made first if it should be there."""
    if folder == "there":
        run_named(folder)
    return runs.Run.open(folder)


FOLDERS = (3, None)
misuse(runs.Run, {"folder": "r", "config": {}}, folder=FOLDERS, config=(3, "x"))
misuse(runs.Run.create, {"folder": "new"}, call=lambda folder, config=None: run_named(folder, config), folder=FOLDERS)
misuse(runs.Run.create, {}, call=lambda config=None: run_named("other", config), config=(3, "x"))
misuse(runs.Run.open, {"folder": "there"}, call=opened, folder=(*FOLDERS, Says("missing", "no config.json", "missing")))
for name in ("save", "restore"):
    misuse(
        getattr(runs.Run, name),
        {},
        call=lambda trainer=None, name=name: trainer and getattr(runs.Run("r"), name)(trainer),
        trainer=("x", 3),
    )
misuse(
    runs.description,
    {"model": MODEL, "dataset": DATASET, "settings": {"epochs": 1}},
    model=NO_MODELS[:2],
    dataset=NO_DATASETS,
    settings=(3, "x", None),
)
RUN = runs.Run("r")
misuse(runs.Run.initialize, {}, call=lambda model=None: model and RUN.initialize(model), model=("x", 3))
misuse(
    runs.Run.describe, {}, call=lambda description=None: description and RUN.describe(description), description=(3, "x")
)
for name in ("differs", "require_data"):
    misuse(getattr(runs.Run, name), {"dataset": DATASET}, call=getattr(RUN, name), dataset=NO_DATASETS)
CHECKPOINT = {"path": "c.npz", "arrays": {"x": np.ones(2)}, "meta": {"step": 1}}
misuse(
    runs.save_checkpoint,
    CHECKPOINT,
    path=NO_PATHS,
    arrays=(3, None, Says({"x": object()}, "object", "x")),
    meta=(3, None, Says({"x": object()}, "object", "x")),
)
misuse(
    runs.load_checkpoint,
    {"path": "there.npz"},
    call=lambda path: load_saved(path),
    path=(3, None, Says("missing.npz", "no such file", "missing.npz")),
)


def load_saved(path: Any) -> Any:
    """A checkpoint, made first if it should be there."""
    if path == "there.npz":
        runs.save_checkpoint(**CHECKPOINT | {"path": path})
    return runs.load_checkpoint(path)
