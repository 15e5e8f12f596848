"""The plots: how the contenders stand on each case, and how time and memory grow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.ticker import LogLocator, NullLocator

from minivae.plots.canvas import GREY, LABEL_SIZE, PALETTE, SMALL_SIZE, picture

from .contenders import CONTENDERS, FLOOR
from .growth import GROWING

OURS, OTHERS, LIMIT = PALETTE[0], PALETTE[1], GREY


def steps(cases: dict[str, Any], path: Path) -> None:
    """A panel for each case: bars of milliseconds a step, whiskers from quartile to quartile, a line at the floor."""
    names = [name for name in CONTENDERS if any(name in case["contenders"] for case in cases.values())]
    with picture(path, figsize=(1.8 + 1.9 * len(cases), 1.2 + 0.28 * len(names)), layout="constrained") as figure:
        panels = figure.subplots(1, len(cases), sharey=True, squeeze=False)[0]
        for axes, (name, case) in zip(panels, cases.items(), strict=True):
            _bars(axes, names, case["contenders"])
            axes.set_title("\n".join([name, *case["title"].split(", ")]), fontsize=LABEL_SIZE)
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
    """A column for each size that grows: above milliseconds a step, logarithmic, and below peak memory."""
    with picture(path, figsize=(2.9 * len(sweeps) + 0.6, 5.4), layout="constrained") as figure:
        panels = figure.subplots(2, len(sweeps), sharex="col", sharey="row", squeeze=False)
        for column, (sweep, sizes) in zip(panels.T, sweeps.items(), strict=True):
            _lines(column[0], sizes, "median", 1e3)
            _lines(column[1], sizes, "peak_memory_mib", 1.0)
            column[1].set_xlabel(sweep, fontsize=LABEL_SIZE)
        panels[0, 0].set_yscale("log")
        panels[0, 0].yaxis.set(major_locator=LogLocator(subs=(1, 2, 5)), major_formatter="{x:g}")
        panels[0, 0].yaxis.set(minor_locator=NullLocator())
        panels[1, 0].set_ylim(bottom=0)
        panels[0, 0].set_ylabel("ms a step", fontsize=LABEL_SIZE)
        panels[1, 0].set_ylabel("peak memory of the process, MiB", fontsize=LABEL_SIZE)
        labelled = panels[0, 0].get_legend_handles_labels()
        figure.legend(*labelled, loc="outside upper center", ncols=4, fontsize=SMALL_SIZE, frameon=False)


def _lines(axes: Any, sizes: dict[str, Any], quantity: str, factor: float) -> None:
    for number, name in enumerate(GROWING):
        found = {int(n): f["contenders"][name][quantity] for n, f in sizes.items() if name in f["contenders"]}
        values = [value * factor for value in found.values()]
        axes.plot(list(found), values, "o-", color=PALETTE[number], ms=3, lw=1.2, label=CONTENDERS[name].label)
    axes.set_xscale("log")
    axes.set_xticks([int(n) for n in sizes], list(sizes))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.grid(lw=0.3)
    axes.tick_params(labelsize=SMALL_SIZE)
