"""``python -m benchmarks.gpu``: see :mod:`.runner`."""

import signal
import sys

from .runner import main

if __name__ == "__main__":
    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit(143)
    )  # so that its processes end with it, and results are summed up
    sys.exit(main())
