"""The joint VAE: two kinds of latent variables, the KL of each, and what it is without one of them."""

import numpy as np
import pytest

from minivae.autodiff import backward, tensor
from minivae.datasets import load
from minivae.distributions import Categorical, Normal, Product
from minivae.gradcheck import check_gradients
from minivae.models import Batch
from minivae.training import fit

from ..members import M, batch_for, member, shaken

K = (3, 4)


def model_of(**options):
    return shaken(member("joint-vae", dtype="float64", discrete=K, **options))


def noise_for(rng, samples=2):
    return tensor(np.concatenate([rng.standard_normal((samples, M, 2)), rng.uniform(size=(samples, M, 7))], -1))


def test_each_kind_has_the_kl_of_its_own_formula(rng):
    model = model_of()
    x, _ = batch_for(model, rng)
    (phase,) = model.phases(Batch(x), noise_for(rng))
    h = model.encoder.hidden(x)
    mean, log_var, logits = (getattr(model.encoder, head)(h).numpy() for head in ("mean", "log_var", "logits"))
    of_z = 0.5 * (mean**2 + np.exp(log_var) - log_var - 1).sum(-1)
    of_c = 0.0
    for one in (logits[:, :3], logits[:, 3:]):
        p = np.exp(one) / np.exp(one).sum(-1, keepdims=True)
        of_c = of_c + (p * np.log(p)).sum(-1) + np.log(one.shape[-1])
    terms = {name: float(value) for name, value in phase.terms.items()}
    assert terms["continuous_kl"] == pytest.approx(of_z.mean(), rel=1e-12)
    assert terms["discrete_kl"] == pytest.approx(of_c.mean(), rel=1e-12)
    assert terms["kl"] == pytest.approx((of_z + of_c).mean(), rel=1e-12)


def test_both_bounds_are_what_they_say_and_the_loss_has_the_distances(rng):
    model = model_of(gamma=7.0)
    x, _ = batch_for(model, rng)
    model.now.data[:] = 0.5, 1.5
    noise = noise_for(rng)
    (phase,) = model.phases(Batch(x), noise)
    terms = {name: float(value) for name, value in phase.terms.items()}
    q = model.posterior(x)
    hard, soft = q.sample(noise), q.relax(noise, model.temperature)
    np.testing.assert_array_equal(hard.numpy()[..., :2], soft.numpy()[..., :2])
    relaxed = float(model.likelihood(soft).log_prob(x).numpy().mean())
    assert terms["bound"] == pytest.approx(model.likelihood(hard).log_prob(x).numpy().mean() - terms["kl"], rel=1e-12)
    assert terms["relaxed_bound"] == pytest.approx(relaxed - terms["kl"], rel=1e-12)
    distances = abs(terms["continuous_kl"] - 0.5) + abs(terms["discrete_kl"] - 1.5)
    assert float(phase.loss) == pytest.approx(-relaxed + 7 * distances, rel=1e-12)


def test_the_relaxed_bound_has_the_gradient_of_its_value(rng):
    """Both KLs' as well, which the loss has otherwise."""
    model = model_of()
    batch, noise = Batch(batch_for(model, rng).x), noise_for(rng)
    check_gradients(
        lambda *_: model.phases(batch, noise)[0].terms["relaxed_bound"], model.parameters(), mode="directions"
    )
    assert model.num_categories == max(K)


def test_without_a_discrete_variable_it_is_the_disentangled_beta_vae(rng):
    options = {"gamma": 3.0, "capacity": 2.0, "dtype": "float64"}
    joint = shaken(member("joint-vae", continuous=3, discrete=(), **options))
    other = shaken(member("disentangled-beta-vae", latent_dim=3, **options))
    other.load_state_dict({**other.state_dict(), **{k: v for k, v in joint.state_dict().items() if k != "now"}})
    batch, noise = batch_for(joint, rng), tensor(rng.standard_normal((5, M, 3)))
    for model in (joint, other):
        model.advance(1, 4)
    ours, theirs = (model.phases(batch, noise)[0] for model in (joint, other))
    assert float(ours.loss) == pytest.approx(float(theirs.loss), rel=1e-12)
    gradients = (backward(phase.loss, phase.parameters) for phase in (ours, theirs))
    for one, twin in zip(*gradients, strict=True):
        np.testing.assert_allclose(one.numpy(), twin.numpy(), rtol=1e-10, atol=1e-13)


def test_the_capacity_of_discrete_variables_is_at_most_what_they_hold():
    model = member("joint-vae", discrete=K, capacity=5.0, discrete_capacity=5.0, capacity_steps=10)
    found = []
    for step in (0, 5, 10, 20):
        model.advance(step, 100)
        found.append(model.now.numpy().copy())
    np.testing.assert_allclose(found, np.outer([0, 0.5, 1, 1], [5, np.log(12)]), rtol=1e-6)
    assert model.config["discrete_capacity"] == 5.0


def test_codes_are_the_most_likely_values_of_each_variable(rng):
    model = model_of()
    x, _ = batch_for(model, rng)
    logits = model.encoder.logits(model.encoder.hidden(x)).numpy()
    expected = np.stack([logits[:, :3].argmax(-1), logits[:, 3:].argmax(-1)], -1)
    np.testing.assert_array_equal(model.codes(x).numpy(), expected)


def test_each_kl_comes_to_its_capacity_on_the_digits():
    """Within 10 %: what the objective is for (Dupont 2018, Fig. 3)."""
    model = member("joint-vae", data_dim=64, hidden=(50,), continuous=4, discrete=(10,), capacity=3.0)
    row = fit(model, load("digits"), epochs=12, lr=0.01, progress=False).rows[-1]
    assert row["test_continuous_kl"] == pytest.approx(3.0, rel=0.1)
    assert row["test_discrete_kl"] == pytest.approx(np.log(10), rel=0.1)


def test_a_product_is_its_parts_side_by_side(rng):
    """A Gaussian and a categorical distribution: what families.py cannot hold against one of SciPy's."""
    parts = [Normal(rng.normal(size=(M, 2)), rng.normal(size=(M, 2))), Categorical(rng.normal(size=(M, 6)), 3)]
    q = Product(parts)
    noise = np.concatenate([rng.standard_normal((5, M, 2)), rng.uniform(size=(5, M, 6))], -1)
    x = q.sample(noise)
    pieces = [part.sample(own) for part, own in zip(parts, (noise[..., :2], noise[..., 2:]), strict=True)]
    np.testing.assert_array_equal(x.numpy(), np.concatenate([piece.numpy() for piece in pieces], -1))
    log_p = sum(part.log_prob(piece).numpy() for part, piece in zip(parts, pieces, strict=True))
    np.testing.assert_allclose(q.log_prob(x).numpy(), log_p, rtol=1e-12)
    np.testing.assert_allclose(q.entropy().numpy(), sum(part.entropy().numpy() for part in parts), rtol=1e-12)
    np.testing.assert_array_equal(q.mean.numpy(), np.concatenate([part.mean.numpy() for part in parts], -1))
    assert q.discrete
    assert not Product(parts[:1]).discrete
