"""The plots: how the contenders stand on each case, and how time and memory grow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from minivae.plots.canvas import GREY, LABEL_SIZE, PALETTE, SMALL_SIZE, TITLE_SIZE, picture

from .contenders import CONTENDERS, FLOOR
from .growth import CONTENDERS as GROWING

OURS, OTHERS, LIMIT = PALETTE[0], PALETTE[1], GREY


def steps(cases: dict[str, Any], path: Path) -> None:
    """A panel for each case: bars of milliseconds a step, whiskers from quartile to quartile, a line at the floor."""
    names = [name for name in CONTENDERS if any(name in case["contenders"] for case in cases.values())]
    with picture(path, figsize=(1.8 + 1.9 * len(cases), 0.9 + 0.28 * len(names)), layout="constrained") as figure:
        panels = figure.subplots(1, len(cases), sharey=True, squeeze=False)[0]
        for axes, (name, case) in zip(panels, cases.items(), strict=True):
            _bars(axes, names, case["contenders"])
            axes.set_title(name, fontsize=TITLE_SIZE)
            axes.set_xlabel("ms a step", fontsize=LABEL_SIZE)
        panels[0].set_yticks(range(len(names)), [CONTENDERS[name].label.partition(":")[0] for name in names])
        panels[0].tick_params(axis="y", labelsize=SMALL_SIZE)
        panels[0].invert_yaxis()


def _bars(axes: Any, names: list[str], contenders: dict[str, Any]) -> None:
    for place, name in enumerate(names):
        if name not in contenders:
            continue
        found = {part: contenders[name][part] * 1e3 for part in ("lower", "median", "upper")}
        colour = LIMIT if name == FLOOR else OURS if name.startswith("minivae") else OTHERS
        whisker = [[found["median"] - found["lower"]], [found["upper"] - found["median"]]]
        axes.barh(place, found["median"], color=colour, xerr=whisker, error_kw={"lw": 0.8})
        axes.text(found["upper"], place, f" {found['median']:.3g}", va="center", fontsize=SMALL_SIZE)
    axes.axvline(contenders[FLOOR]["median"] * 1e3, color=LIMIT, lw=0.8, ls=":")
    axes.set_xlim(0, 1.3 * max(found["upper"] for found in contenders.values()) * 1e3)  # room for the numbers
    axes.tick_params(labelsize=SMALL_SIZE)
    axes.spines[["top", "right"]].set_visible(False)


def growth(sweeps: dict[str, Any], path: Path) -> None:
    """Above milliseconds a step and below peak memory, both axes logarithmic, a column for each size that grows."""
    with picture(path, figsize=(2.9 * len(sweeps) + 0.6, 5.2), layout="constrained") as figure:
        panels = figure.subplots(2, len(sweeps), sharex="col", sharey="row", squeeze=False)
        for column, (sweep, sizes) in zip(panels.T, sweeps.items(), strict=True):
            for quantity, axes in zip(("median", "peak_memory_mib"), column, strict=True):
                _lines(axes, sizes, quantity)
            column[1].set_xlabel(sweep, fontsize=LABEL_SIZE)
        panels[0, 0].set_ylabel("ms a step", fontsize=LABEL_SIZE)
        panels[1, 0].set_ylabel("peak memory of the process, MiB", fontsize=LABEL_SIZE)
        panels[0, 0].legend(fontsize=SMALL_SIZE, frameon=False)


def _lines(axes: Any, sizes: dict[str, Any], quantity: str) -> None:
    factor = 1e3 if quantity == "median" else 1.0
    for number, name in enumerate(GROWING):
        points = [(int(n), f["contenders"][name][quantity]) for n, f in sizes.items() if name in f["contenders"]]
        if points:
            x, y = zip(*points, strict=True)
            label = CONTENDERS[name].label
            axes.plot(x, [value * factor for value in y], "o-", color=PALETTE[number], ms=3, lw=1.2, label=label)
    axes.set(xscale="log", yscale="log")
    axes.set_xticks([int(n) for n in sizes], list(sizes))
    axes.minorticks_off()
    axes.grid(lw=0.3)
    axes.tick_params(labelsize=SMALL_SIZE)
