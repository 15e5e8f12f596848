"""VQ-VAE: straight through, its losses, and its bound."""

import numpy as np
import pytest

from minivae.autodiff import backward, tensor
from minivae.models import Batch
from minivae.models.posterior.vq_vae import _flat

from ..members import M, batch_for, member, shaken


@pytest.fixture
def model():
    return shaken(member("vq-vae", dtype="float64"))


def parts_of(model, x):
    (phase,) = model.phases(Batch(x), None)
    return phase, {name: float(value) for name, value in phase.terms.items()}


def test_the_gradient_by_the_code_is_that_by_the_entry(model, rng):
    """dD/dz_e is dD/de_k, taken at e_k: the encoder's gradient of D as if it had given the entries itself."""
    x, _ = batch_for(model, rng)
    model.commitment = 0.0
    z, chosen = model.quantize(x)
    e = tensor(_flat(chosen @ model.codebook.entries).numpy(), requires_grad=True)
    (by_entry,) = backward(model.likelihood(e).log_prob(x).sum() * (-1 / M), [e])
    parameters = model.encoder.parameters()
    expected = backward(_flat(z), parameters, by_entry)
    (phase,) = model.phases(Batch(x), None)
    for ours, theirs in zip(backward(phase.loss, parameters), expected, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-8, atol=1e-12)


def test_distances_are_summed_over_the_code_and_averaged_over_the_data(model, rng):
    x, _ = batch_for(model, rng)
    z, chosen = (t.numpy() for t in model.quantize(x))
    expected = ((z - chosen @ model.codebook.entries.numpy()) ** 2).sum() / M
    phase, terms = parts_of(model, x)
    assert expected > 0.01
    assert terms["codebook"] == terms["commitment"] == pytest.approx(expected, rel=1e-12)
    assert float(phase.loss) == pytest.approx(0.25 * expected - terms["reconstruction"], rel=1e-12)


def test_the_list_is_trained_by_its_own_term_alone_without_running_means(rng):
    model = shaken(member("vq-vae", ema=False, dtype="float64"))
    x, _ = batch_for(model, rng)
    z, chosen = (t.numpy() for t in model.quantize(x))
    phase, terms = parts_of(model, x)
    (found,) = backward(phase.loss, [model.codebook.entries])
    apart = (chosen @ model.codebook.entries.numpy() - z) * 2 / M
    np.testing.assert_allclose(found.numpy(), np.einsum("mpk,mpd->kd", chosen, apart), rtol=1e-9, atol=1e-14)
    assert float(phase.loss) == pytest.approx(1.25 * terms["codebook"] - terms["reconstruction"], rel=1e-12)


def test_the_decoder_sees_the_entries_and_the_bound_counts_their_number(model, rng):
    """log p(x) >= log p(x|e_k) - num_codes log K, for uniform codes."""
    x, _ = batch_for(model, rng)
    _, terms = parts_of(model, x)
    z = model.encode(x)
    assert terms["reconstruction"] == pytest.approx(model.likelihood(z).log_prob(x).numpy().mean(), rel=1e-12)
    assert terms["kl"] == pytest.approx(3 * np.log(5))
    assert terms["bound"] == pytest.approx(terms["reconstruction"] - 3 * np.log(5), rel=1e-12)
    every = np.stack(np.meshgrid(*[np.arange(5)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    codes = model.codebook.entries.numpy()[every].reshape(len(every), 1, 6)
    log_p = model.likelihood(tensor(codes)).log_prob(x).numpy()
    exact = np.log(np.exp(log_p).mean(axis=0)).mean()
    assert terms["bound"] < exact


def test_evaluating_moves_no_entry(model, rng):
    x, _ = batch_for(model, rng)
    before = model.state_dict()
    model.phases(Batch(x), None)
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


def test_codes_that_are_used_equally_have_the_entropy_of_their_number(model, rng):
    x, _ = batch_for(model, rng)
    _, terms = parts_of(model, x)
    shares = np.bincount(model.codes(x).numpy().ravel(), minlength=5) / (3 * M)
    used = shares[shares > 0]
    assert terms["code_entropy"] == pytest.approx(-(used * np.log(used)).sum(), abs=1e-8)


def test_it_draws_no_z():
    assert member("vq-vae").draws == 0
