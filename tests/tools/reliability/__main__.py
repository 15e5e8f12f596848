"""Inject every fault of every campaign and write the counts into docs/reliability.md.

    python -m tests.tools.reliability                  # all campaigns
    python -m tests.tools.reliability crashes files    # those whose name contains one of these words
    python -m tests.tools.reliability --table          # no faults; write the table anew from the counts

Exits with 1 if anything was lost. The counts lie in ``results.json``; campaigns that are not
run keep theirs.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from .campaign import REFUSED, RIGHT, Campaign, all_campaigns

RESULTS = Path(__file__).with_name("results.json")
PAGE = Path(__file__).parents[3] / "docs" / "reliability.md"
BEGIN, END = "<!-- counts -->\n", "<!-- end of counts -->\n"
COLUMNS = ("injected", RIGHT, REFUSED, "lost")
# A campaign is of the first kind that has a word of its name.
KINDS = {
    "kills and signals": ("SIGINT", "SIGKILL", "killed"),
    "errors injected: disk, network, numbers": ("fails", "may not grow", "vanishes", "servers", "NaN"),
    "run folders, damaged": ("checkpoint", "config", "commands", "history"),
    "data files, damaged, made to hurt or large inside": ("files:",),
    "hostile objects as arguments": ("misuse",),
    "surroundings, threads, processes, sizes at the edge": ("",),
}


def main() -> int:
    """Run the chosen campaigns; keep the counts; write the page."""
    parser = argparse.ArgumentParser(prog="python -m tests.tools.reliability", description=__doc__.split("\n")[0])
    parser.add_argument("words", nargs="*", help="run campaigns whose name contains one of these")
    parser.add_argument("--table", action="store_true", help="only write the table anew")
    args = parser.parse_args()
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    campaigns = all_campaigns()
    for campaign in campaigns:
        if not args.table and (not args.words or any(word in campaign.name for word in args.words)):
            results[campaign.name] = counts(campaign)
    results = {campaign.name: results[campaign.name] for campaign in campaigns if campaign.name in results}
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    write_page(table(results) + "\n" + by_kind(results))
    return 1 if any(row["lost"] for row in results.values()) else 0


def counts(campaign: Campaign) -> dict[str, Any]:
    """All faults of one campaign, as a row of the results."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        kept, lost = campaign.run(campaign.cases, Path(folder))
    print(f"{campaign.name}: {dict(kept)}, {len(lost)} lost, {time.perf_counter() - start:.0f} s", flush=True)
    for sentence in lost[:10]:
        print("   lost:", sentence, flush=True)
    numbers = {"injected": campaign.cases, RIGHT: kept[RIGHT], REFUSED: kept[REFUSED], "lost": len(lost)}
    return {"promise": campaign.promise, **numbers}


def table(results: dict[str, dict[str, Any]]) -> str:
    """The counts as Markdown, and their sum."""
    lines = ["| fault | promise | injected | right | refused | lost |", "| --- | --- | ---: | ---: | ---: | ---: |"]
    for name, row in results.items():
        lines.append(f"| {name} | {row['promise']} | " + " | ".join(f"{row[c]:,}" for c in COLUMNS) + " |")
    lines.append("| **all** | | " + " | ".join(f"**{total:,}**" for total in totals([*results.values()])) + " |")
    return "\n".join(lines) + "\n"


def totals(rows: list[dict[str, Any]]) -> list[int]:
    """The sum of each column."""
    return [sum(row[c] for row in rows) for c in COLUMNS]


def by_kind(results: dict[str, dict[str, Any]]) -> str:
    """The sums for each kind of campaign as Markdown."""
    kinds: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
    for name, row in results.items():
        kinds[next(kind for kind, words in KINDS.items() if any(word in name for word in words))].append(row)
    lines = ["| kind | campaigns | injected | right | refused | lost |", "| --- | ---: | ---: | ---: | ---: | ---: |"]
    for kind, rows in kinds.items():
        lines.append(f"| {kind} | {len(rows)} | " + " | ".join(f"{total:,}" for total in totals(rows)) + " |")
    return "\n".join(lines) + "\n"


def write_page(text: str) -> None:
    """Put the table into its place in the page."""
    page = PAGE.read_text(encoding="utf-8")
    found = re.sub(f"{BEGIN}.*?{END}", lambda _: BEGIN + text + END, page, flags=re.DOTALL)
    PAGE.write_text(found, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
