"""Part "steady": whether the memory of a training run grows with its steps.

A run of the digits, with reports and readings of the bound as ``fit`` makes them; its process's
own memory (Linux: what it has written to, without the files that it maps) after a tenth of the
steps and after all of them. What a step kept, however little, would be there 18,000 times.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from pathlib import Path
from typing import Any

STEPS = (2_000, 20_000)
QUICK_STEPS = (200, 2_000)
KINDS = {"eager": "minivae, eager", "compiled": "minivae, compiled, NumPy alone", "fast": "minivae, compiled + fast"}
EVERY = 400  # steps between two reports


def run(quick: bool, say: Callable[[str], None]) -> dict[str, Any]:
    """For each kind of step the memory in KiB after so many steps; of Numba only where it is installed."""
    from minivae.compiler import numba as replay_numba

    found: dict[str, Any] = {}
    for kind in KINDS:
        if kind != "fast" or replay_numba.is_installed():
            found[kind] = memory_after(kind, QUICK_STEPS if quick else STEPS)
            say(f"  {KINDS[kind]:32} {', '.join(f'{kib} KiB after {n} steps' for n, kib in found[kind].items())}")
    return found


def memory_after(kind: str, steps: tuple[int, ...]) -> dict[str, int]:
    """The memory in KiB of a new process after each of so many training steps of one of ``KINDS``."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_train, (kind, steps))


def _train(kind: str, steps: tuple[int, ...]) -> dict[str, int]:
    from minivae.compiler import compile
    from minivae.datasets import load
    from minivae.models import VAE
    from minivae.training import Settings, Trainer

    # 300 x 64 values are enough for Numba's loops to be used.
    settings = Settings(batch_size=300, epochs=1_000_000, compile=kind != "eager")
    trainer = Trainer(VAE(64, 2, hidden=(50,)), load("digits"), settings)
    if kind != "eager":
        trainer._update = compile(trainer._update_eagerly, fast=kind == "fast")
    found = {}
    while trainer.step < max(steps):
        trainer.train_step()
        if trainer.step % EVERY == 0:
            trainer.report()
        if trainer.step in steps:
            found[str(trainer.step)] = own_memory()
    return found


def own_memory() -> int:
    """This process's own memory in KiB, as Linux counts it."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("RssAnon"))
