"""minivae's command where small packages are absent: ``python -m benchmarks.gpu.command train ...``.

Where Matplotlib is, too, no figures are drawn; the run is the same.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec

from . import standins


def main(arguments: list[str] | None = None) -> int:
    """Run ``minivae``; its exit code."""
    put = standins.install()
    from minivae import cli
    from minivae.cli import train

    if find_spec("matplotlib") is None:
        train.draw_run = lambda *_: None
    if put:
        print(f"stand-ins for {', '.join(put)}", file=sys.stderr)
    return cli.main(arguments)


if __name__ == "__main__":
    sys.exit(main())
