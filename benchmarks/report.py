"""Results as JSON, and as Markdown tables in ``README.md``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from . import cliffs, growth, images, overhead, steady, train
from .contenders import CONTENDERS, FLOOR
from .steps import ours
from .targets import judge

RESULTS = Path(__file__).resolve().parent / "results"
# Parts by the file that holds them: "cliffs" can be measured by a command of its own, "data" is measured on one thread.
FILES = {
    "cpu.json": ("steps", "train", "overhead", "growth", "steady"),
    "cliffs.json": ("cliffs",),
    "data.json": ("data",),
    "images.json": ("images",),
}
BEGIN, END = "<!-- what follows is written by python -m benchmarks -->", "<!-- end of what is written -->"


def load(path: Path) -> dict[str, Any]:
    """The results in a file; none if there is no file."""
    return json.loads(path.read_text()) if path.exists() else {}


def save(results: dict[str, Any], path: Path) -> None:
    """Write the results, which are what :func:`load` will read."""
    path.write_text(json.dumps(results, indent=1) + "\n")


def load_all(folder: Path) -> dict[str, Any]:
    """What the files of a folder hold together."""
    found = [load(folder / name) for name in FILES]
    environments = {part: where for one in found for part, where in one.get("environments", {}).items()}
    terms = {part: values for one in found for part, values in one.items() if part != "environments"}
    return {**terms, "environments": environments} if terms else {}


def save_all(results: dict[str, Any], folder: Path) -> None:
    """Write the results, which are what :func:`load_all` will read; each part into its file."""
    for name, terms in FILES.items():
        held = {part: results[part] for part in terms if part in results}
        if held:
            save({**held, "environments": {part: results["environments"][part] for part in held}}, folder / name)


def into(text: str, tables: str) -> str:
    """``text`` with ``tables`` between its two markers."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{tables}\n{END}{after}"


def markdown(results: dict[str, Any]) -> str:
    """All tables of what was measured."""
    sections: dict[str, tuple[str, Callable[[Any], Iterator[str]]]] = {
        "steps": ("A training step", _steps),
        "train": ("Training to a bound", _train),
        "overhead": ("One operation on a tiny tensor, eager", _overhead),
        "growth": ("Growth with the sizes of the model", _growth),
        "steady": ("Memory of a run, step by step", _steady),
        "cliffs": ("Many small tensors, odd shapes, long recordings", _cliffs),
        "data": ("Data sets and file formats", _data),
        "images": ("Convolutions", _images),
    }
    lines = ["### Targets", "", *_targets(results)]
    for part, (title, body) in sections.items():
        if part in results:
            lines += ["", f"### {title}", "", _where(results["environments"][part]), "", *body(results[part])]
    return "\n".join(lines) + "\n"


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """A Markdown table; all columns but the first are aligned to the right."""
    header = list(header)
    return [_row(header), _row(["---", *["---:"] * (len(header) - 1)]), *map(_row, rows)]


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _where(environment: dict[str, Any]) -> str:
    variables = "".join(f", {name}={value}" for name, value in environment["variables"].items())
    return (
        f"{environment['date']}, {environment['cpu']}, {environment['cores']} cores, {environment['system']}, "
        f"Python {environment['python']}{variables}; load before the start {environment['load_before']}."
    )


def _targets(results: dict[str, Any]) -> list[str]:
    rows = (
        [v.target.what, v.target.against, f"{v.target.at_most:g}", "" if v.ratio is None else f"{v.ratio:.2f}", v.word]
        for v in judge(results)
    )
    return table(["what", "against", "at most", "measured", ""], rows)


# ------------------------------------------------------------------- parts


def _steps(cases: dict[str, Any]) -> Iterator[str]:
    for name, case in cases.items():
        yield from [f"**{name}**: {case['title']}", "", *_case(case["contenders"]), ""]
        yield from (f"Left out: {CONTENDERS[who].label} ({why}).\n" for who, why in case["left_out"].items())
    found = [found for case in cases.values() for found in case["contenders"].values()]
    versions = {name: version for one in found for name, version in one["versions"].items()}
    versions["BLAS of NumPy"] = next(one["blas"] for one in found if "blas" in one)
    yield "Versions: " + ", ".join(f"{name} {version}" for name, version in versions.items()) + "."


def _case(contenders: dict[str, Any]) -> list[str]:
    mine, floor = contenders[ours(contenders)]["median"], contenders[FLOOR]["median"]
    rows = (
        [
            CONTENDERS[name].label,
            f"{found['median'] * 1e3:.3g}",
            f"{found['lower'] * 1e3:.3g} to {found['upper'] * 1e3:.3g}",
            f"{found['median'] / mine:.2f}",
            f"{found['median'] / floor:.2f}",
            f"{found['peak_memory_mib']:.0f}",
            str(found["threads"]),
            str(found["steps"]),
        ]
        for name, found in contenders.items()
    )
    header = ["", "ms a step", "quartiles", "over ours", "over the floor", "peak MiB", "threads", "timed steps"]
    return table(header, rows)


def _train(tasks: dict[str, Any]) -> Iterator[str]:
    for name, found in tasks.items():
        task = train.Task(**found["task"])
        yield (
            f"**{name}**: {task.hidden} hidden units, {task.latent} latent dimensions, {task.epochs} epochs; "
            f"the bound to reach is {task.bound:g} nats. Runs of each: {found['rounds']}; medians."
        )
        header = ["", "s to the bound", "epochs to it", "s in all", "s of training", "last test bound", "peak MiB"]
        yield from ["", *table(header, (_run(label, run) for label, run in found["runs"].items())), ""]
        around = found["runs"]["minivae train"]["around_the_step"]
        yield f"The loop of `minivae train` took {around:.2f} times as long a sample as the bare compiled step.\n"


def _run(label: str, run: dict[str, float]) -> list[str]:
    seconds = [f"{run['seconds_to_bound']:.2f}", f"{run['epochs_to_bound']:g}", f"{run['seconds']:.2f}"]
    return [
        f"`{label}`",
        *seconds,
        f"{run['training_seconds']:.2f}",
        f"{run['last_bound']:.2f}",
        f"{run['peak_memory_mib']:.0f}",
    ]


def _overhead(operations: dict[str, Any]) -> Iterator[str]:
    libraries = next(iter(operations.values()))
    header = ["microseconds", *(f"{overhead.LABELS[x]}, {way}" for x in libraries for way in ("forward", "backward"))]
    rows = (
        [f"`{name}`", *(f"{found[x][way]['median'] * 1e6:.2f}" for x in libraries for way in ("forward", "backward"))]
        for name, found in operations.items()
    )
    yield from table(header, rows)


def _growth(sweeps: dict[str, Any]) -> Iterator[str]:
    measured = [found["contenders"] for sizes in sweeps.values() for found in sizes.values()]
    present = [name for name in growth.GROWING if all(name in contenders for contenders in measured)]
    header = ["ms a step, peak MiB", *(CONTENDERS[name].label for name in present)]
    for sweep, sizes in sweeps.items():
        rows = ([f"{sweep} {size}", *_cells(found["contenders"], present)] for size, found in sizes.items())
        yield from [*table(header, rows), ""]


def _steady(kinds: dict[str, dict[str, int]]) -> Iterator[str]:
    steps = list(next(iter(kinds.values())))
    rows = (
        [steady.KINDS[kind], *(f"{kib / 1024:.2f}" for kib in found.values()), f"{found[steps[-1]] - found[steps[0]]}"]
        for kind, found in kinds.items()
    )
    yield from table(["the process's own MiB", *(f"after {int(n):,} steps" for n in steps), "growth, KiB"], rows)


def _cliffs(found: dict[str, Any]) -> Iterator[str]:
    clock = "of the clock" if found["wall"] else "of the processor"
    yield from _compared(found, cliffs.ROWS)
    rows = (
        [cliffs.RECORDINGS[name].title(row["size"]), f"{row['eager']:.3g}", _seconds(row)]
        for name, row in found["recordings"].items()
    )
    yield from [*table([f"seconds {clock}", "eager", "recording"], rows), ""]
    yield _versions(found)


def _images(found: dict[str, Any]) -> Iterator[str]:
    yield from _compared(found, images.ROWS)
    rows = ([{"minivae": "minivae", "torch": "PyTorch"}[who], f"{n:.0f}"] for who, n in found["memory"].items())
    yield from [*table([f"{images.ROWS[images.MEMORY].title()}", "MiB beside its inputs"], rows), ""]
    yield _versions(found)


def _compared(found: dict[str, Any], known: Mapping[str, cliffs.Row]) -> Iterator[str]:
    """The rows that both libraries have computed."""
    clock = "of the clock" if found["wall"] else "of the processor"
    if found["rows"]:
        header = [f"ms {clock}, eager, in one process", "minivae", "PyTorch", "ratio", "quartiles", "pairs"]
        yield from [*table(header, (_cliff(known[name], row) for name, row in found["rows"].items())), ""]


def _versions(found: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    torch = f"; of PyTorch: {found['torch_threads']}" if "torch_threads" in found else ""
    return f"Versions: {versions}. Threads of NumPy's BLAS: {found['threads']}{torch}."


def _cliff(row: cliffs.Row, found: dict[str, Any]) -> list[str]:
    ratio = found["ratio"]
    times = [_three_digits(found[who]["median"] * 1e3) for who in ("minivae", "torch")]
    quartiles = f"{ratio['lower']:.2f} to {ratio['upper']:.2f}"
    return [row.title(found["size"]), *times, f"{ratio['median']:.2f}", quartiles, str(ratio["samples"])]


def _data(found: dict[str, Any]) -> Iterator[str]:
    header = [
        "",
        "training rows x values",
        "samples a second of the processor",
        "quartiles",
        "of the fastest's",
        "turns",
    ]
    rows = (
        [
            name,
            one["shape"],
            f"{1 / one['seconds']['median']:,.0f}",
            f"{1 / one['seconds']['upper']:,.0f} to {1 / one['seconds']['lower']:,.0f}",
            f"{one['rate']:.2f}",
            str(one["seconds"]["samples"]),
        ]
        for name, one in found["sets"].items()
    )
    yield from [*table(header, rows), ""]
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    yield f"Versions: {versions}. Threads of NumPy's BLAS: {found['threads']}."


def _three_digits(number: float) -> str:
    return f"{number:,.0f}" if number >= 1000 else f"{number:.3g}"


def _seconds(found: dict[str, Any]) -> str:
    return f"{'over ' if found['stopped'] else ''}{found['seconds']:.3g}"


def _cells(contenders: dict[str, Any], names: list[str]) -> Iterator[str]:
    for name in names:
        yield f"{contenders[name]['median'] * 1e3:.3g}, {contenders[name]['peak_memory_mib']:.0f}"
