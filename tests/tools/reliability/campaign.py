"""Campaigns: many seeded faults of one kind, and what became of each.

A module of this folder declares its campaigns with :func:`campaign`. The suite runs a few
faults of each, ``pytest -m slow`` all of them, and ``python -m tests.tools.reliability`` all of
them too, and writes the counts into ``docs/reliability.md``.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

# What may become of a fault; any other outcome is a sentence that says what was lost.
RIGHT, REFUSED = "right", "refused"

Faults = Callable[[Path], Iterator[str]]


class Campaign(NamedTuple):
    """Faults of one kind.

    Attributes:
        name: as in the table of the page: what is done to what.
        promise: what must come of it, in a few words.
        cases: how many faults there are.
        quick: how many of them the suite injects each time.
        faults: yields one outcome for each fault, in a fixed order; its argument is an empty folder to work in.
    """

    name: str
    promise: str
    cases: int
    quick: int
    faults: Faults

    def run(self, cases: int, folder: Path) -> tuple[Counter, list[str]]:
        """Inject the first ``cases`` faults: how many ended how, and what was lost."""
        outcomes = list(islice(self.faults(folder), cases))
        if len(outcomes) < cases:
            raise AssertionError(f"{self.name} has {len(outcomes)} faults, not {cases}")
        kept = Counter(outcome for outcome in outcomes if outcome in (RIGHT, REFUSED))
        return kept, [outcome for outcome in outcomes if outcome not in kept]


CAMPAIGNS: dict[str, Campaign] = {}


def campaign(name: str, promise: str, cases: int, quick: int) -> Callable[[Faults], Faults]:
    """Declare the decorated generator function as a campaign."""

    def declare(faults: Faults) -> Faults:
        if name in CAMPAIGNS:
            raise AssertionError(f"two campaigns are called {name}")
        CAMPAIGNS[name] = Campaign(name, promise, cases, quick, faults)
        return faults

    return declare


def all_campaigns() -> list[Campaign]:
    """Those of every module in this folder, by name."""
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if not module.name.startswith(("test_", "_")):
            importlib.import_module(f"{__package__}.{module.name}")
    return [CAMPAIGNS[name] for name in sorted(CAMPAIGNS)]
