"""What the parsers of all commands share."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from .. import backend
from ..models import MODELS
from ..models.own import installed, is_own
from ..models.registry import ENTRY_POINTS, LIKELIHOODS_ENTRY_POINTS
from ..models.vae import DECODERS


def integer(text: str) -> int:
    """A number that every backend takes as a size or a seed."""
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number{_numbers_in(text, r'-?[0-9]+')}") from None
    if abs(value) >= 2**31:
        raise argparse.ArgumentTypeError(f"{text} is too large; expected less than 2^31")
    return value


def real(text: str) -> float:
    """A number with a point or an exponent, or without."""
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number, such as 0.001{_number_in(text)}") from None


def _number_in(text: str) -> str:
    """What was meant by a number with a comma for the point, or in percent."""
    with suppress(ValueError):
        plain = text.replace(",", ".").strip()
        value = float(plain.removesuffix("%")) / (100 if plain.endswith("%") else 1)
        return f"; did you mean {value:g}?"
    return ""


def _numbers_in(text: str, pattern: str) -> str:
    """What was meant by a word with several numbers, ``200,100`` or ``[200]``, or a whole one, ``1e3``."""
    numbers = re.findall(pattern, text)
    if numbers and re.fullmatch(r"[\s()\[\],;x]+", re.sub(pattern, "", text)):
        return f"; did you mean {' '.join(numbers)}?"
    with suppress(ValueError, OverflowError):
        if float(text) == int(float(text)):
            return f"; did you mean {int(float(text))}?"
    return ""


def size(text: str) -> list[int]:
    """Rows and columns of a picture: ``HxW``."""
    sides = text.lower().split("x")
    if len(sides) != 2 or not all(side.isascii() and side.isdigit() for side in sides):
        meant = "x".join(re.findall(r"[0-9]+", text)[:2])
        meant = f"{meant}x{meant}" if meant and "x" not in meant else meant
        hint = f"; did you mean {meant}?" if meant else ""
        raise argparse.ArgumentTypeError(f"{text} is no size; expected HxW, as in 64x64{hint}")
    return [integer(side) for side in sides]


class Names(list):
    """The names that an option takes: those listed are shown and completed, those of the user's own looked up."""

    def __contains__(self, name: object) -> bool:
        """Whether it is listed, or says where a class is."""
        return super().__contains__(name) or is_own(name)


def model_names() -> Names:
    """The models that are listed or installed, and with them all that are the user's own."""
    return Names(sorted({*MODELS, *installed(ENTRY_POINTS)}))


def likelihood_names() -> Names:
    """The same of likelihoods."""
    return Names([*DECODERS, *sorted(installed(LIKELIHOODS_ENTRY_POINTS))])


def add_command(commands: Any, name: str, run_command: Callable, text: str, **options: Any) -> argparse.ArgumentParser:
    """The parser of a command, which ``run_command`` carries out; every command has --json."""
    parser = commands.add_parser(name, help=text, description=text, **options)
    parser.set_defaults(run_command=run_command)
    parser.add_argument("--json", action="store_true", help="print one line of JSON instead of text")
    return parser


def add_backend(add: Callable) -> None:
    """The option --backend."""
    add("--backend", choices=backend.names(), help="where arrays live (default: MINIVAE_BACKEND, or numpy)")
