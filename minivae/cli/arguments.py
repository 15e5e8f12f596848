"""What the parsers of all commands share."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from .. import backend


def integer(text: str) -> int:
    """A number that every backend takes as a size or a seed."""
    value = int(text)
    if abs(value) >= 2**31:
        raise argparse.ArgumentTypeError(f"{text} is too large; expected less than 2^31")
    return value


def add_command(commands: Any, name: str, run_command: Callable, text: str, **options: Any) -> argparse.ArgumentParser:
    """The parser of a command, which ``run_command`` carries out; every command has --json."""
    parser = commands.add_parser(name, help=text, description=text, **options)
    parser.set_defaults(run_command=run_command)
    parser.add_argument("--json", action="store_true", help="print one line of JSON instead of text")
    return parser


def add_backend(add: Callable) -> None:
    """The option --backend."""
    add("--backend", choices=backend.names(), help="where arrays live (default: MINIVAE_BACKEND, or numpy)")
