"""A disk with one fault: at a chosen call that writes, something happens."""

from __future__ import annotations

import builtins
import io
import os
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any
from unittest.mock import patch

OPERATIONS = ("open", "write", "fsync", "replace")


class Disk:
    """Between Python and the system: a ``with`` block in which writing below ``folder`` meets the fault.

    Args:
        folder: what lies elsewhere is written as ever.
        operation: one of ``OPERATIONS``.
        turn: at which call of that operation, counted from 0; None for no fault.
        action: called just before that operation is carried out, and in the middle of a "write", when half
            of its bytes are in the file, with this disk; may raise, end the process or change the folder.

    Attributes:
        calls: how many there were of each operation.
        whole: the files that were renamed to their places, and what was then in them.
    """

    def __init__(
        self,
        folder: Path,
        operation: str = "open",
        turn: int | None = None,
        action: Callable[[Disk], Any] = lambda disk: None,
    ) -> None:
        self.folder, self.fault, self.action = folder.resolve(), (operation, turn), action
        self.calls: Counter[str] = Counter()
        self.whole: dict[str, bytes] = {}
        self._patches = ExitStack()
        self._open, self._fsync, self._replace = builtins.open, os.fsync, os.replace

    def __enter__(self) -> Disk:
        replacements = ((builtins, "open", self.open), (io, "open", self.open))
        for module, name, function in (*replacements, (os, "fsync", self.fsync), (os, "replace", self.replace)):
            self._patches.enter_context(patch.object(module, name, function))
        return self

    def __exit__(self, *error: object) -> None:
        self._patches.close()

    def meets_fault(self, operation: str) -> bool:
        """Count a call; whether it is the one."""
        self.calls[operation] += 1
        return (operation, self.calls[operation] - 1) == self.fault

    def _before(self, operation: str) -> None:
        if self.meets_fault(operation):
            self.action(self)

    def open(
        self,
        path: Any,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
        **options: Any,
    ) -> IO:
        """As the built-in function."""
        if not set(mode) & set("wxa+") or not self._lies_here(path):
            return self._open(path, mode, buffering, encoding, errors, newline, **options)
        self._before("open")
        raw = _Raw(self, path, mode)
        file = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        return file if "b" in mode else io.TextIOWrapper(file, encoding, errors, newline)

    def fsync(self, file: int) -> None:
        """As of ``os``."""
        self._before("fsync")
        self._fsync(file)

    def replace(self, source: Any, target: Any) -> None:
        """As of ``os``."""
        here = self._lies_here(target)
        if here:
            self._before("replace")
        content = Path(source).read_bytes() if here else b""
        self._replace(source, target)
        if here:
            self.whole[Path(target).name] = content

    def _lies_here(self, path: Any) -> bool:
        return isinstance(path, str | os.PathLike) and self.folder in Path(path).resolve().parents


class _Raw(io.FileIO):
    """A file whose writes reach the system one by one."""

    def __init__(self, disk: Disk, path: Any, mode: str) -> None:
        super().__init__(path, mode.translate(str.maketrans("", "", "bt")))
        self.disk = disk

    def write(self, data: Any) -> int:
        """Write; in the fault's turn only half of the data."""
        if not self.disk.meets_fault("write"):
            return super().write(data)
        done = super().write(memoryview(data)[: len(data) // 2])
        self.disk.action(self.disk)
        return done
