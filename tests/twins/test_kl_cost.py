"""KL warm-up, in one go and in cycles, and free bits beside PyTorch: 20 steps of the VAE, and of IWAE's weights.

From Bowman et al. 2016 (the weight), Fu et al. 2019, Eq. 6 (cycles) and Kingma et al. 2016, Eq. 15 (free bits).
"""

from __future__ import annotations

import math

import pytest

from minivae.training import Settings
from minivae.training.trainer import Trainer

from ..doubles.oracle import one_thread, torch  # noqa: F401 (a fixture)
from . import cases
from .twin import Draws, Phase, Training, decoded, encoded, standard_normal

EPOCHS, STEPS = 2, 10  # a weight rises in 15 of the 20 steps, say

SETTINGS = {
    "warm-up": {"kl_warmup": 1.5},
    "cycles": {"kl_cycles": 3},
    "cycles with a warm-up of their own": {"kl_cycles": 2, "kl_warmup": 0.3},
    "free bits": {"free_bits": 0.4},
    "both": {"free_bits": 0.4, "kl_warmup": 1.0},
}


def weight(step, kl_warmup=0.0, kl_cycles=1, **_):
    """beta_t = min(1, t / R) of the place t in its cycle, where R is half of the cycle unless it is said."""
    cycle = EPOCHS * STEPS / kl_cycles
    rise = kl_warmup * STEPS if kl_warmup else cycle / 2
    return min(1.0, (step % cycle) / rise)


def vae(w, x, draws, options, beta, free_bits):
    """-E log p(x|z) + beta sum_j max(lambda, mean KL_j)."""
    q = encoded(w, x, options)
    z = q.mean + q.stddev * draws.normal(options["samples"], *q.mean.shape)
    reconstruction = decoded(w, z, options).log_prob(x).mean()
    by_dimension = torch.distributions.kl_divergence(q.base_dist, standard_normal(q.mean).base_dist).mean(0)
    paid = by_dimension.clamp(min=free_bits).sum() if free_bits else by_dimension.sum()
    kl = by_dimension.sum()
    return Phase(
        beta * paid - reconstruction,
        {"bound": reconstruction - kl, "reconstruction": reconstruction, "kl": kl},
        ["encoder", "decoder"],
    )


def iwae(w, x, draws, options, beta, free_bits):
    """-log mean_k p(x|z_k) (p(z_k) / q(z_k|x))^beta."""
    q = encoded(w, x, options)
    z = q.mean + q.stddev * draws.normal(options["samples"], *q.mean.shape)
    log_likelihood = decoded(w, z, options).log_prob(x)
    ratio = standard_normal(z).log_prob(z) - q.log_prob(z)

    def bound(power):
        return (torch.logsumexp(log_likelihood + power * ratio, 0) - math.log(options["samples"])).mean()

    terms = {"bound": bound(1.0), "reconstruction": log_likelihood.mean(), "kl": -ratio.mean()}
    return Phase(-bound(beta), terms, ["encoder", "decoder"])


ROWS = [("vae", vae, title) for title in SETTINGS] + [("iwae", iwae, "warm-up"), ("iwae", iwae, "cycles")]


@pytest.mark.parametrize(("name", "loss", "title"), ROWS, ids=[f"{name}, {title}" for name, _, title in ROWS])
def test_20_steps_of_training(name, loss, title):
    settings = SETTINGS[title]
    model, _ = cases.make(name, {}, "float64")
    data = cases.dataset(0, STEPS * cases.M)
    run = Trainer(model, data, Settings(epochs=EPOCHS, batch_size=cases.M, compile=False, **settings))
    w = {key: torch.tensor(value.numpy(), requires_grad=True) for key, value in model.named_tensors()}
    training = Training(w, lambda parameters: torch.optim.Adam(parameters, 1e-3))
    for at in range(run.total_steps):
        rows = run.train.shuffled(cases.M, 0, at // STEPS).numpy()[at % STEPS]
        with cases.watched() as drawn:
            found = run.train_step()
        draws, x = Draws(drawn, torch.float64), torch.tensor(data.train.images[rows])
        beta = weight(at, **settings) if settings.keys() - {"free_bits"} else 1.0
        phase = loss(w, x, draws, model.config, beta, settings.get("free_bits", 0.0))
        draws.require_used()
        training.step([phase])
        for key, value in {**phase.terms, "objective": -phase.loss}.items():
            assert float(found[key]) == pytest.approx(float(value.detach()), rel=1e-8), (at, key)
    for key, value in model.named_tensors():
        torch.testing.assert_close(torch.tensor(value.numpy()), w[key].detach(), rtol=1e-7, atol=1e-9)
