"""Full variational Bayes beside its twin, from Kingma & Welling 2014, App. F, Eq. 24 with the draws of Algorithm 2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from minivae.training import Settings
from minivae.training.trainer import Trainer

from ..doubles.oracle import one_thread, torch  # noqa: F401 (a fixture)
from . import cases
from .rules import DATASET_SIZE, LOG_VAR, full_vb
from .test_twins import TOLERANCE, close, require_stored, stored_phase
from .twin import Draws, Phase, Twin, Weights
from .vae import terms_of

DECODER, PRIOR = "decoder.", torch.distributions.Normal(0.0, 1.0)


class FullVBTwin(Twin):
    """Minus Eq. 24, divided by N. One draw of the decoder's weights, from N(m, exp(log_var)), serves the minibatch."""

    cases: Mapping[str, Mapping[str, Any]] = {
        "one data point in all": {"dataset_size": 1, "m": 1},
        "a million data points": {"dataset_size": 10**6},
        "narrow": {"log_var": -8.0},
        "wide": {"log_var": 2.0},
        "several hidden layers, gaussian": {"hidden": (5, 6, 5), "likelihood": "gaussian", "samples": 3},
        "square layers, two of each shape": {"hidden": (3, 3), "likelihood": "gaussian", "activation": "softplus"},
        "no hidden layer, gaussian, fixed variance": {"hidden": (), "likelihood": "gaussian", "variance": 0.05},
        "wide, estimator A": {"log_var": 1.0, "estimator": "A", "samples": 4},
    }

    def phases(self, w: Weights, x: torch.Tensor, context: Any, draws: Draws, options: Any) -> list[Phase]:
        drawn, weights_kl = {}, torch.zeros((), dtype=x.dtype)
        for i, name in enumerate(key for key in w if key.startswith(DECODER)):
            weight = torch.distributions.Normal(w[name], (w[f"{LOG_VAR}{i}"] / 2).exp())
            drawn[name] = weight.mean + weight.stddev * draws.normal(*w[name].shape)
            weights_kl = weights_kl + torch.distributions.kl_divergence(weight, PRIOR).sum()
        _, terms = terms_of({**w, **drawn}, x, draws, options)
        terms |= {"weights_kl": weights_kl / options["dataset_size"]}
        terms["bound"] = bound = terms["bound"] - terms["weights_kl"]
        return [Phase(-bound, terms, ["encoder", DECODER, LOG_VAR])]


TWIN = FullVBTwin()
GRID = {**cases.EVERYWHERE, **TWIN.cases}


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("options", GRID.values(), ids=GRID)
def test_values_and_gradients(options, dtype):
    model, batch = full_vb(options, dtype)
    step, tolerance = cases.step(model, batch), TOLERANCE[dtype]
    w = {key: torch.tensor(value, requires_grad=True) for key, value in step.weights.items()}
    draws = Draws(step.draws, getattr(torch, dtype))
    (phase,) = TWIN.phases(w, torch.tensor(batch.x.numpy()), None, draws, model.config)
    draws.require_used()
    assert step.trained == [list(w)]
    assert phase.terms.keys() == step.terms[0].keys()
    assert not step.assigned[0]
    size = max(1.0, *(abs(float(value.detach())) for value in phase.terms.values()))
    close(step.losses[0], phase.loss, tolerance, size)
    for key, value in phase.terms.items():
        close(step.terms[0][key], value, tolerance, size)
    gradients = dict(zip(w, torch.autograd.grad(phase.loss, list(w.values())), strict=True))
    largest = max(float(g.abs().max()) for g in gradients.values())
    for key, g in gradients.items():
        close(step.gradients[0][key], g, tolerance, 1e-3 * largest)


@pytest.mark.parametrize("options", [{}, {"likelihood": "gaussian", "estimator": "A"}], ids=["usual", "gaussian"])
def test_20_steps_of_adam(options):
    model, _ = full_vb(options, "float64")
    data, w = (
        cases.dataset(0, DATASET_SIZE),
        {k: torch.tensor(v.numpy(), requires_grad=True) for k, v in model.named_tensors()},
    )
    run = Trainer(model, data, Settings(epochs=2, batch_size=cases.M, compile=False, optimizer="adam"))
    adam = torch.optim.Adam(w.values(), 1e-3)
    for at in range(20):
        rows = run.train.shuffled(cases.M, 0, at // 10).numpy()[at % 10]
        with cases.watched() as drawn:
            parts = run.train_step()
        draws = Draws(drawn, torch.float64)
        (phase,) = TWIN.phases(w, torch.tensor(data.train.images[rows]), None, draws, model.config)
        draws.require_used()
        adam.zero_grad()
        phase.loss.backward()
        adam.step()
        for key, value in phase.terms.items():
            close(parts[key].numpy(), value, 1e-8, 1.0)
    assert run.total_steps == 20
    for key, value in model.named_tensors():
        close(value.numpy(), w[key], 1e-8, 1e-3)


def stored_rows():
    """As :func:`tests.twins.test_twins.stored_rows`."""
    for title in ("usual", "estimator A", *TWIN.cases):
        model, batch = full_vb(GRID[title], "float64")
        step = cases.step(model, batch)
        w = {key: torch.tensor(value, requires_grad=True) for key, value in step.weights.items()}
        (phase,) = TWIN.phases(w, torch.tensor(batch.x.numpy()), None, Draws(step.draws, torch.float64), model.config)
        yield "full-vb", title, GRID[title], [stored_phase(w, phase)]


def test_what_is_stored_is_what_the_twin_gives():
    require_stored(stored_rows())
