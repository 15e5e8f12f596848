"""``minivae --print-completion SHELL``: a script by which a shell completes commands, options and their values."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

SHELLS = ("bash", "zsh", "tcsh")


class PrintCompletion(argparse.Action):
    """Print the script for the shell that was named, and leave with exit code 0."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: Any, values: Any, option: str | None = None) -> None:
        """Called by argparse when it meets the option."""
        import shtab  # slow to import

        paths = {"FOLDER": shtab.DIRECTORY, "RUN": shtab.DIRECTORY, "FILE": shtab.FILE, "NAME|PATH": shtab.FILE}
        for action in _actions(parser):
            if action.metavar in paths:
                vars(action)["complete"] = paths[action.metavar]  # where shtab looks, unknown to argparse
        print(shtab.complete(parser, values))
        parser.exit()


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Those of a parser and of its commands."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from _actions(command)
