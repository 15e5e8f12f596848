"""What the measurements shall show: ratios of medians in one run, below 1 where minivae is ahead."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from .cliffs import RECORDINGS, ROWS, Row
from .contenders import FLOOR, TORCH
from .images import ROWS as IMAGES

Results = dict[str, Any]
Ratio = Callable[[Results], float]  # raises KeyError where something was not measured


class Target(NamedTuple):
    """``what`` shall take at most ``at_most`` times what ``against`` takes."""

    what: str
    against: str
    at_most: float
    ratio: Ratio


def step(case: str, ours: str, others: Sequence[str]) -> Ratio:
    """The time of our step over that of the fastest of the others, all of which must have been measured."""

    def ratio(results: Results) -> float:
        found = results["steps"][case]["contenders"]
        return found[ours]["median"] / min(found[name]["median"] for name in others)

    return ratio


def overhead(operation: str, backend: str) -> Ratio:
    """Of one operation forward, with its tape."""

    def ratio(results: Results) -> float:
        found = results["overhead"][operation]
        return found["minivae"]["forward"]["median"] / found[backend]["forward"]["median"]

    return ratio


def around_the_step(results: Results) -> float:
    """Seconds a sample in the training loop of ``minivae train`` over those of the bare compiled step."""
    run = results["train"]["mnist"]["runs"]["minivae train"]
    return run["around_the_step"]


def of_training(quantity: str) -> Ratio:
    """A quantity of ``minivae train`` on MNIST over that of the PyTorch script."""

    def ratio(results: Results) -> float:
        runs = results["train"]["mnist"]["runs"]
        return runs["minivae train"][quantity] / runs["torch_script.py"][quantity]

    return ratio


def cliff(name: str) -> Ratio:
    """Of a row of :mod:`benchmarks.cliffs`; one that was measured in small does not count."""
    return lambda results: _in_full(ROWS[name], results["cliffs"]["rows"][name])["ratio"]["median"]


def of_images(name: str) -> Ratio:
    """Of a row of :mod:`benchmarks.images`."""
    return lambda results: _in_full(IMAGES[name], results["images"]["rows"][name])["ratio"]["median"]


def recording(name: str) -> Ratio:
    """Of a recording, in seconds."""
    return lambda results: _in_full(RECORDINGS[name], results["cliffs"]["recordings"][name])["seconds"]


def among_data(shape: str) -> Ratio:
    """The fastest's rate over the slowest's, of data sets and formats of one shape."""

    def ratio(results: Results) -> float:
        rates = [one["rate"] for one in results["data"]["sets"].values() if one["shape"] == shape]
        if len(rates) < 2:
            raise KeyError(shape)
        return 1 / min(rates)

    return ratio


def _in_full(row: Row, found: dict[str, Any]) -> dict[str, Any]:
    if found["size"] != row.size:
        raise KeyError(row.size)
    return found


EAGER, COMPILED, FAST, BEST = "minivae-eager", "minivae-compiled", "minivae-fast", (*TORCH, "jax")
TARGETS = (
    Target("MNIST, batch 100, compiled", "best PyTorch", 1.0, step("mnist-100", COMPILED, TORCH)),
    Target("MNIST, batch 100, compiled + fast", "best PyTorch", 0.85, step("mnist-100", FAST, TORCH)),
    Target("MNIST, batch 100, compiled + fast", "JAX jit", 1.0, step("mnist-100", FAST, ["jax"])),
    Target("MNIST, batch 100, compiled + fast", "the floor", 1.4, step("mnist-100", FAST, [FLOOR])),
    Target("MNIST, batch 1000, compiled + fast", "best PyTorch and JAX", 1.0, step("mnist-1000", FAST, BEST)),
    Target("wide, batch 1000, compiled + fast", "best PyTorch and JAX", 1.0, step("wide", FAST, BEST)),
    Target("digits, compiled", "best PyTorch", 0.5, step("digits", COMPILED, TORCH)),
    Target("Frey, compiled", "best PyTorch", 0.5, step("frey", COMPILED, TORCH)),
    Target("digits, compiled", "JAX jit", 1.0, step("digits", COMPILED, ["jax"])),
    Target("Frey, compiled", "JAX jit", 1.0, step("frey", COMPILED, ["jax"])),
    Target("MNIST, batch 100, eager", "PyTorch eager, default Adam", 1.0, step("mnist-100", EAGER, TORCH[:1])),
    Target("one tiny operation with tape, eager", "PyTorch eager", 2.0, overhead("multiply", "torch")),
    Target("`minivae train` on MNIST, per sample", "its own bare compiled step", 1.1, around_the_step),
    Target("peak memory of MNIST training", "the PyTorch script", 0.7, of_training("peak_memory_mib")),
    *(Target(row.title(), "PyTorch eager", row.at_most, cliff(name)) for name, row in ROWS.items() if row.at_most),
    *(
        Target(row.title(), "PyTorch eager", row.at_most, of_images(name))
        for name, row in IMAGES.items()
        if row.at_most
    ),
    Target("binarized MNIST and MNIST, a sample of the slower", "one of the faster", 1.1, among_data("60000 x 784")),
    Target("any file format, a sample of the slowest", "one of the fastest", 1.1, among_data("9000 x 784")),
    *(Target(row.title(), "a second", row.at_most, recording(name)) for name, row in RECORDINGS.items() if row.at_most),
)


class Verdict(NamedTuple):
    """A target with what was measured: ``ratio`` is None where something is missing."""

    target: Target
    ratio: float | None

    @property
    def word(self) -> str:
        if self.ratio is None:
            return "not measured"
        return "met" if self.ratio <= self.target.at_most else "missed"


def judge(results: Results) -> list[Verdict]:
    """Each target beside what the results hold."""
    return [Verdict(target, _ratio(target, results)) for target in TARGETS]


def tell(results: Results, say: Callable[[str], None]) -> None:
    """A line for each target that was measured."""
    for target, ratio, word in ((verdict.target, verdict.ratio, verdict.word) for verdict in judge(results)):
        if ratio is not None:
            say(f"{word:6} {ratio:5.2f} (at most {target.at_most:g})  {target.what}: {target.against}")


def _ratio(target: Target, results: Results) -> float | None:
    try:
        return target.ratio(results)
    except KeyError:
        return None
