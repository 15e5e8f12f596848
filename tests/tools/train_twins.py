"""Members and their twins trained side by side on fixed bits, from the same weights, on the same minibatches.

    MINIVAE_DATA=... python -m tests.tools.train_twins  # hours; goes on where it was stopped; writes train_twins.csv
    python -m tests.tools.train_twins --table             # of what is there, for docs/family.md

MNIST with each pixel above 1/2 as a bit, 784-400-20, 5 epochs of minibatches of 100, Adam at 1e-3, every other option
as it is by default. Both draw noise of their own. After training the twin's weights are put into our model, and both
are evaluated by it on the test part. They agree if the differences are those between seeds.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from typing import Any

import numpy as np
import torch

from minivae import datasets
from minivae.models import MODELS, Model
from minivae.models.registry import arguments
from minivae.training import Minibatches, Settings, evaluate
from minivae.training.trainer import Trainer

from ..twins.members import TWINS
from ..twins.twin import Draws, Training

FILE = Path(__file__).with_name("train_twins.csv")
SIZES = {"hidden": (400,), "latent_dim": 20}
EPOCHS, BATCH, SEEDS = 5, 100, (0, 1, 2)
COLUMNS = ("member", "seed", "steps", "test_bound", "twin_test_bound")


class Fresh(Draws):
    """Noise of a twin's own."""

    def __init__(self, seed: int) -> None:
        self._generator = torch.Generator().manual_seed(seed)

    def normal(self, *shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=self._generator)

    def uniform(self, *shape: int) -> torch.Tensor:
        return torch.rand(*shape, generator=self._generator)


def model_of(name: str, data: datasets.Dataset, seed: int) -> Model:
    """A member of the size in question."""
    given = {**SIZES, "data_dim": data.data_dim, "context_dim": data.classes, "seed": seed}
    return MODELS[name](**{key: value for key, value in given.items() if key in arguments(MODELS[name])})


def run(name: str, data: datasets.Dataset, seed: int, epochs: int) -> Trainer:
    """A member's run, ready to begin."""
    settings = Settings(epochs=epochs, batch_size=BATCH, binarize="threshold", seed=seed, report_every=epochs)
    return Trainer(model_of(name, data, seed), data, settings)


def train_twin(ours: Trainer) -> dict[str, torch.Tensor]:
    """The twin's weights after as many steps as the run has in all, from the weights that the run has now."""
    model, twin, noise = ours.model, TWINS[_name(ours.model)], Fresh(ours.settings.seed)
    trained = {key for key, _ in model.named_parameters()}
    w = {k: torch.tensor(v.numpy(), requires_grad=k in trained) for k, v in model.named_tensors()}
    training = Training(w, lambda weights: torch.optim.Adam(weights, 1e-3))
    for at in range(ours.total_steps):
        epoch, place = divmod(at, ours.steps_per_epoch)
        if place == 0:
            order = ours.train.shuffled(BATCH, ours.settings.seed, epoch).numpy()
        x, context = _minibatch(ours.train, order[place])
        with torch.no_grad():
            twin.advance(w, at, ours.total_steps, model.config)
        phases = twin.phases(w, x, context, noise, model.config)
        training.step(phases)
    return w


def _name(model: Model) -> str:
    return next(name for name, kind in MODELS.items() if type(model) is kind)


def _minibatch(minibatches: Minibatches, rows: np.ndarray) -> tuple[torch.Tensor, Any]:
    bits = minibatches.images.numpy()[rows] / np.float32(minibatches.scale) > 0.5
    x = torch.tensor(bits.astype(np.float32))
    return x, None if minibatches.contexts is None else torch.tensor(minibatches.contexts.numpy()[rows])


def measure(name: str, data: datasets.Dataset, seed: int, epochs: int) -> dict[str, Any]:
    """A row of the table."""
    ours = run(name, data, seed, epochs)
    w = train_twin(ours)
    while ours.step < ours.total_steps:
        ours.train_step()
    bound = _bound(ours)
    ours.model.load_state_dict({key: value.detach().numpy() for key, value in w.items()})
    numbers = (name, seed, ours.total_steps, bound, _bound(ours))
    return dict(zip(COLUMNS, (f"{x:.2f}" if isinstance(x, float) else x for x in numbers), strict=True))


def _bound(run: Trainer) -> float:
    """On the test part; of a member that bounds nothing, its objective."""
    parts = evaluate(run.model, run.test)
    return parts["bound"] if "bound" in parts else parts["objective"]


def table(rows: list[dict[str, str]]) -> str:
    """Means over the seeds, with their standard deviations, as a table of Markdown."""
    lines = ["| member | minivae | PyTorch twin | seeds |", "| --- | ---: | ---: | ---: |"]
    for name in dict.fromkeys(row["member"] for row in rows):
        own = [row for row in rows if row["member"] == name]
        numbers = (np.array([float(row[column]) for row in own]) for column in ("test_bound", "twin_test_bound"))
        cells = (f"{x.mean():.1f}" + (f" ± {x.std(ddof=1):.1f}" if len(x) > 1 else "") for x in numbers)
        lines.append(f"| `{name}` | {' | '.join(cells)} | {len(own)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--members", nargs="+", default=list(TWINS), choices=TWINS)
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    parser.add_argument("--out", type=Path, default=FILE)
    parser.add_argument("--table", action="store_true", help="only print the table")
    args = parser.parse_args()
    rows = list(csv.DictReader(args.out.open())) if args.out.exists() else []
    if args.table:
        print(table(rows))
        return
    data = datasets.load(args.data)
    for seed in args.seeds:
        for name in args.members:
            if any((row["member"], row["seed"]) == (name, str(seed)) for row in rows):
                continue
            rows.append({key: str(value) for key, value in measure(name, data, seed, args.epochs).items()})
            print(*rows[-1].values(), flush=True)
            with args.out.open("w", newline="") as file:
                writer = csv.DictWriter(file, COLUMNS)
                writer.writeheader()
                writer.writerows(rows)


if __name__ == "__main__":
    main()
