"""Read the files that lines on standard input name, in little memory, and say what became of each."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from .files import outcome
from .formats import FORMATS


def main() -> None:
    """Arguments: an empty folder to be, and how many bytes may be allocated beyond what is held at the start."""
    folder, memory = Path(sys.argv[1]), int(sys.argv[2])
    folder.mkdir()
    for form in FORMATS.values():  # what reading imports is there before the limit
        with form.published():
            form.load(form.write(folder))
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    print("ready", flush=True)
    for line in sys.stdin:
        form, path = line.rstrip("\n").split("\t")
        limit = held + memory + (Path(path).stat().st_blocks * 512 if Path(path).is_file() else 0)
        resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
        result = outcome(Path(path), FORMATS[form].load, lambda found: True)
        print(" ".join(result.split()), flush=True)


if __name__ == "__main__":
    main()
