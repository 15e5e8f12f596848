"""Every experiment of the paper, one after the other, and then the tables of README.md.

    MINIVAE_DATA=... python examples/paper/run_all.py            # hours; goes on where it was stopped
    MINIVAE_DATA=... python examples/paper/run_all.py --quick    # two minutes, into runs/paper

Each script can be run by itself; curves of Figures 2 and 3 side by side, with --curve.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from experiment import HERE

SCRIPTS = (
    "step_size",
    "figure2",
    "first_points",
    "assumptions",
    "figure3",
    "figure4",
    "figure5",
    "marginal_likelihood",
    "estimator_variance",
    "full_vb",
)


def main(args: argparse.Namespace) -> int:
    for name in SCRIPTS:
        options = ["--quick", "--out", str(args.out / name)] if args.quick else []
        print(f"== {name}.py", flush=True)
        code = subprocess.run([sys.executable, *flags(), str(HERE / f"{name}.py"), *options]).returncode
        if code:
            return code
    return 0 if args.quick else subprocess.run([sys.executable, str(HERE / "readme.py")]).returncode


def flags() -> list[str]:
    """What Python was started with to say of warnings."""
    return [f"-W{option}" for option in sys.warnoptions]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a look at each")
    parser.add_argument("--out", type=Path, default=Path("runs/paper/quick"), help="where --quick writes")
    sys.exit(main(parser.parse_args()))
