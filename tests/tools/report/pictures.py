"""The two pictures of the report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

import minivae as mv
from minivae.plots.canvas import GREY, LABEL_SIZE, PALETTE, SMALL_SIZE, TITLE_SIZE, picture

from .page import SEED

STEPS = 10.0 ** np.arange(-16, -0.4, 0.5)
FUNCTIONS = {"tanh": mv.tanh, "softplus": mv.softplus, "log": mv.log, "sigmoid": mv.sigmoid, "exp": mv.exp}
POINTS = 200


def step_errors(f: Callable, dtype: str, complex_step: bool = False) -> np.ndarray:
    """For each of ``STEPS`` the median relative error of numerical derivatives beside the float64 gradient.

    Where x + h is x again the difference is 0 and the error 1.
    """
    x = np.random.default_rng(SEED).uniform(0.5, 2.0, POINTS).astype(dtype)
    exact = mv.grad(lambda x: f(x).sum())(x.astype("float64")).numpy()

    def slope(h: np.floating) -> np.ndarray:
        if complex_step:
            return f(mv.tensor(x + 1j * h)).numpy().imag / h
        return (f(mv.tensor(x + h)) - f(mv.tensor(x - h))).numpy() / (2 * h)

    errors = [np.median(abs(slope(h) / exact - 1)) for h in STEPS.astype(dtype)]
    return np.maximum(errors, 1e-17)  # an error of 0 has no place on a logarithmic axis


def draw_step_errors(path: Path) -> None:
    """Gradient error against step size, one panel for each precision."""
    with picture(path, figsize=(8.4, 3.9), layout="constrained") as figure:
        left, right = figure.subplots(1, 2, sharey=True)
        for axes, dtype in ((left, "float32"), (right, "float64")):
            for colour, (name, f) in zip(PALETTE, FUNCTIONS.items(), strict=False):
                axes.loglog(STEPS, step_errors(f, dtype), color=colour, label=name, lw=1.4)
                if dtype == "float64":
                    axes.loglog(STEPS, step_errors(f, dtype, True), color=colour, lw=1.4, ls=(0, (3, 2)))
            epsilon = np.finfo(dtype).eps
            axes.axhline(epsilon, color=GREY, lw=0.8, ls=":")
            axes.axvline(epsilon ** (1 / 3), color=GREY, lw=0.8, ls=":")
            axes.set_title(f"{dtype}", size=TITLE_SIZE, loc="left")
            axes.set_xlabel("step h", size=LABEL_SIZE)
            style(axes)
            axes.set_ylim(3e-18, 10)
        left.set_ylabel("relative error of the derivative, median", size=LABEL_SIZE)
        left.plot([], [], color=GREY, label="central difference")
        left.plot([], [], color=GREY, ls=(0, (3, 2)), label="complex step")
        left.legend(fontsize=SMALL_SIZE, frameon=False, loc="lower left", ncols=2)


def draw_variances(variances: Mapping[str, Mapping[int, float]], path: Path) -> None:
    """Variance of each gradient estimator against the number of samples L."""
    with picture(path, figsize=(5.4, 3.9), layout="constrained") as figure:
        axes = figure.subplots()
        for colour, marker, (name, by_samples) in zip(PALETTE, "osD^v", variances.items(), strict=False):
            axes.loglog(*zip(*by_samples.items(), strict=True), color=colour, marker=marker, ms=4, lw=1.4, label=name)
        samples = sorted({L for by_samples in variances.values() for L in by_samples})
        axes.set_xticks(samples, labels=samples, minor=False)
        axes.minorticks_off()
        axes.set_xlabel("samples L for each data point", size=LABEL_SIZE)
        axes.set_ylabel("variance of the gradient", size=LABEL_SIZE)
        axes.legend(fontsize=SMALL_SIZE, frameon=False)
        style(axes)


def style(axes) -> None:
    """Small labels, and no frame where there is no axis."""
    axes.tick_params(labelsize=SMALL_SIZE)
    axes.spines[["top", "right"]].set_visible(False)
