"""The command line: ``minivae train|evaluate|sample|plot|info``, also ``python -m minivae``.

Exit codes: 0 done; 2 wrong usage or bad input, said in one line on standard error;
130 and 143 interrupted by SIGINT and SIGTERM, after a checkpoint was saved.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence

from ..errors import MinivaeError
from .parser import make_parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Args:
        arguments: the words after ``minivae``; those of the process by default.
    """
    args = make_parser().parse_args(arguments)
    try:
        args.run_command(args)
    except MinivaeError as error:
        print(f"minivae {args.command}: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as interrupt:
        number = interrupt.args[0] if interrupt.args else signal.SIGINT
        print(f"minivae {args.command}: interrupted", file=sys.stderr)
        return 128 + int(number)
    return 0
