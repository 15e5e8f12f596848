"""A parser of arguments that answers a slip in one line, with the nearest that would be right."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from ..datasets import names as dataset_names
from ..models.own import meant_by
from ..slips import did_you_mean, nearest
from .arguments import Names, model_names

CLOSE = 0.85  # so like an option of this command that one of another cannot be meant


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, with the nearest that would be right.

    Attributes:
        commands: the parsers of all commands, by name.
    """

    commands: Mapping[str, argparse.ArgumentParser] = {}

    def error(self, message: str) -> NoReturn:
        """Print the message and leave with exit code 2."""
        names = [f"argument {action.metavar}:" for action in self._get_positional_actions()]
        if "did you mean" not in message and ("are required" in message or message.startswith(tuple(names))):
            message += f"; expected {self._form()}"
        print(f"{self.prog}: {' '.join(message.split())} (see {self.prog} --help)", file=sys.stderr)
        sys.exit(2)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Refuse what is not known here, where the options of the command are; before what is missing is asked for."""
        words = sys.argv[1:] if args is None else [*args]
        unknown = self._unknown_options(words[:1] if self._subparsers else words)
        if not unknown:
            found, unknown = super().parse_known_args(words, namespace)
            if not unknown:
                return found, unknown
        first = next((word for word in unknown if word.startswith("-")), unknown[0])
        self.error(f"unrecognized arguments: {' '.join(unknown)}{self._meant(first)}")

    def _unknown_options(self, words: Sequence[str]) -> list[str]:
        """Words that no option here is or begins with; what another command calls so in full is not the beginning."""
        options = [word for word in words if word.startswith("--") and len(word) > 2]
        return [word for word in options if not self._is_known(word.partition("=")[0])]

    def _is_known(self, name: str) -> bool:
        if name in self._option_string_actions or not any(f.startswith(name) for f in self._option_string_actions):
            return name in self._option_string_actions
        return not any(name in parser._option_string_actions for parser in self.commands.values())

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            names = [*map(str, action.choices or ()), *(("--help", "--version") if action.dest == "command" else ())]
            own = meant_by(str(value)) if isinstance(action.choices, Names) else None
            hint = did_you_mean(str(value), names) if own is None else f"; did you mean {own!r}?"
            raise argparse.ArgumentError(action, f"{error.message}{hint}") from None

    # ------------------------------------------------------------- what was meant

    def _meant(self, word: str) -> str:
        """What was probably meant by a word that has no place here, at the end of a message; maybe nothing."""
        if not word.startswith("-"):
            return self._meant_by_bare(word)
        name = word.partition("=")[0]
        if self._subparsers and name.lstrip("-") in self.commands:
            return f"; did you mean {self.prog} {name.lstrip('-')}?"
        flags = [flag.lstrip("-") for flag in self._option_string_actions if flag.startswith("--")]
        if nearest(name, flags, CLOSE) is None:
            bare = [str(a.metavar) for a in self._get_positional_actions() if a.dest == name.lstrip("-")]
            if bare:
                return f"; {bare[0]} is said without a name: {self._form()}"
            there = [of for of, parser in self.commands.items() if name in parser._option_string_actions]
            if there:
                return f"; it is an option of minivae {', '.join(there)}"
        return did_you_mean(name, flags, "--{}")

    def _meant_by_bare(self, word: str) -> str:
        meant = ""
        if word.lower() == "help":
            meant = "--help"
        elif "--data" in self._option_string_actions and (word in dataset_names() or os.path.exists(word)):
            is_run = "--resume" in self._option_string_actions and os.path.exists(os.path.join(word, "config.json"))
            meant = f"--resume {word}" if is_run else f"--data {word}"
        elif word in model_names():
            meant = f"--model {word}" if "--model" in self._option_string_actions else f"train --help --model {word}"
        return f"; did you mean {meant}?" if meant else f"; expected {self._form()}"

    def _form(self) -> str:
        """The command with what it cannot do without."""
        bare = [f"[{a.metavar}]" if a.nargs == "?" else str(a.metavar) for a in self._get_positional_actions()]
        needed = [f"{a.option_strings[-1]} {a.metavar}" for a in self._get_optional_actions() if a.required]
        return " ".join([self.prog, *bare, *needed])
