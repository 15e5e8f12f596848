"""The command line: ``minivae train``, commands on runs (``evaluate|encode|reconstruct|interpolate|sample|plot``), and
``runs|info|models``; also ``python -m minivae``.

Exit codes: 0 done; 2 wrong usage or bad input, said in one line on standard error;
129, 130 and 143 interrupted by SIGHUP, SIGINT and SIGTERM, after a checkpoint was saved; 141 nobody
reads the output any more (SIGPIPE).
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Sequence

from .. import backend, signals
from ..backend.memory import out_of_memory
from ..errors import MinivaeError
from ..training.finite import ADVICE
from . import streams
from .parser import make_parser

# What training says of numbers that are not finite, as options of the command line.
_ADVICE_HERE = "lower --lr, skip such steps (--skip-nonfinite), or find the operation (--detect-anomaly)"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Args:
        arguments: the words after ``minivae``; those of the process by default.

    Raises:
        SystemExit: with code 2 for wrong usage, with 0 after ``--help`` and ``--version``.
    """
    words, name = sys.argv[1:] if arguments is None else [*arguments], "minivae"
    try:
        if arguments is None:
            streams.complete()
            signals.answer(signals.interrupt)
        args = _parsed(words)
        name = f"minivae {args.command}"
        with backend.using(backend.get_backend(args.backend).name):
            text, result = args.run_command(args)
        print(json.dumps(result) if args.json else text, flush=True)
    except BrokenPipeError:
        # What is still in the buffer must go somewhere when the interpreter flushes it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except (MinivaeError, OSError, MemoryError) as error:
        streams.say(f"{name}: {_in_one_line(error)}")
        return 2
    except KeyboardInterrupt as interrupt:
        number, *advice = interrupt.args or (signal.SIGINT,)
        streams.say(f"{name}: interrupted{''.join(advice)}")
        return 128 + number
    finally:
        if arguments is None:
            signals.answer(signal.SIG_DFL)  # all is done, and Python's end is not ours
    return 0


def _parsed(words: list[str]) -> argparse.Namespace:
    try:
        return make_parser(words).parse_args(words)
    except SystemExit:  # after --help or a wrong word
        sys.stdout.flush()  # while a pipe that is broken can still be told from other faults
        raise


def _in_one_line(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if isinstance(error, MemoryError) and not isinstance(error, MinivaeError):
        error = out_of_memory("what was asked", backend.get_backend(), error)
    return " ".join(str(error).replace(ADVICE, _ADVICE_HERE).split())
