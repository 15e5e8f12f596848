"""Servers that do anything, and processes that are killed while they download."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from itertools import count
from pathlib import Path
from unittest.mock import patch

import filelock  # noqa: F401  (now, so that what a download opens is its own)
import numpy as np
from tqdm.auto import tqdm

from minivae.datasets import download, transfer
from minivae.errors import InputError

from ...doubles.answers import BEHAVIOURS, HONEST
from ...doubles.mirrors import Mirrors
from .campaign import REFUSED, RIGHT, campaign

BODY = np.random.default_rng(0).bytes(20_000)
AT_ONCE = 16  # most of them wait for a server that says nothing


@campaign(
    "downloads: servers that cut, stall, lie and break the protocol",
    "the verified file if one mirror is honest, else it or one line; no half file, nothing left over",
    cases=800,
    quick=32,
)
def _servers(folder: Path) -> Iterator[str]:
    """One to three mirrors, each with a plan of one to four behaviours; in half of the cases one is honest."""
    with _impatient(), ThreadPoolExecutor(AT_ONCE) as pool:
        for first in count(0, AT_ONCE):
            yield from pool.map(partial(_one_download, folder), range(first, first + AT_ONCE))


def _one_download(folder: Path, seed: int) -> str:
    random = np.random.default_rng(seed)
    plans = [_some(random, sorted(BEHAVIOURS)) for _ in range(random.integers(1, 4))]
    honest = seed % 2
    if honest:
        plans[random.integers(len(plans))] = _some(random, HONEST)
    path = folder / str(seed) / "file.gz"
    with Mirrors(BODY, plans) as mirrors:
        try:
            download.fetch(mirrors.urls, path, _verify)
            outcome = RIGHT
        except InputError as error:
            outcome = REFUSED if str(error).isprintable() and not honest else f"refused: {error}"
        except Exception as error:
            outcome = f"{type(error).__name__}: {error}"
    found = _content(path.parent)
    if found != ({"file.gz": BODY} if outcome == RIGHT else {}):
        outcome = f"{outcome}, and there are { ({name: len(bytes_) for name, bytes_ in found.items()}) }"
    return outcome if outcome in (RIGHT, REFUSED) else f"seed {seed}, {plans}: {outcome}"


@campaign(
    "downloads: SIGKILL of the one of three processes that downloads",
    "another takes over; no half file at any time, nothing left over",
    cases=200,
    quick=4,
)
def _killed(folder: Path) -> Iterator[str]:
    """At a random moment, or (every other time) at a random call of the system that Python reports."""
    spawned = multiprocessing.get_context("forkserver")
    spawned.set_forkserver_preload([__name__])
    with _impatient():
        for seed in count():
            yield _one_kill(folder / str(seed) / "file.gz", np.random.default_rng(seed), spawned, seed % 2)


def _one_kill(path: Path, random: np.random.Generator, spawned, at_call: int) -> str:
    calls = int(random.integers(1, 30)) if at_call else None
    with Mirrors(BODY, [["slow"]]) as mirrors:
        victim = spawned.Process(target=_download_and_die, args=(mirrors.urls, path, calls))
        victim.start()
        others = [spawned.Process(target=_download_and_die, args=(mirrors.urls, path, None)) for _ in range(2)]
        if not at_call:
            while not mirrors.asked:
                victim.join(0.001)
        for other in others:
            other.start()
        victim.join(None if at_call else random.uniform(0, 0.1))
        victim.kill()
        victim.join()
        half = path.exists() and path.read_bytes() != BODY
        for other in others:
            other.join()
    codes, asked = [other.exitcode for other in others], len(mirrors.asked)
    if half or any(codes) or asked > 2 or _content(path.parent) != {"file.gz": BODY}:
        there = sorted(_content(path.parent))
        return f"{path}, calls {calls}: half {half}, exit codes {codes}, {asked} downloads, {there} are there"
    return RIGHT


def _download_and_die(urls: Sequence[str], path: Path, calls: int | None) -> None:
    """Download, with SIGKILL before the given number of audited calls (open, rename, connect, ...) has gone through."""
    numbers = count(1)

    def watch(event: str, arguments: tuple) -> None:
        if not event.startswith(("import", "exec", "compile", "object", "sys.")) and next(numbers) == calls:
            os.kill(os.getpid(), signal.SIGKILL)

    tqdm.set_lock(threading.RLock())  # its own lock for processes outlives those that are killed, with a warning
    if calls:
        sys.addaudithook(watch)
    with _impatient():
        download.fetch(urls, path, _verify)


@contextmanager
def _impatient() -> Iterator[None]:
    """Pauses and time limits for servers on this machine."""
    limits = {"TIMEOUT": 0.5, "SLOWEST": 1 << 13, "LIMIT": 1 << 20, "PATIENCE": 0.5}
    patched = patch.multiple(transfer, **limits), patch.object(download, "PAUSE", 0.01)
    with patched[0], patched[1], patch.dict(os.environ, {"no_proxy": "127.0.0.1"}):
        yield


def _verify(path: Path) -> None:
    if sha256(path.read_bytes()).digest() != sha256(BODY).digest():
        raise InputError(f"{path} has the wrong checksum")


def _some(random: np.random.Generator, behaviours: Sequence[str]) -> list[str]:
    """One to four of them."""
    return [behaviours[i] for i in random.integers(len(behaviours), size=random.integers(1, 5))]


def _content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}
