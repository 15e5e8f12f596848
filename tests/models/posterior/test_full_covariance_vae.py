"""Full covariance: nothing below the diagonal is the VAE, and on bench P it closes the VAE's gap."""

import numpy as np
import pytest

from minivae.distributions import kl

from ...linear_gaussian import LinearGaussian
from ..bench import on_bench, sigma_points, train_encoder
from ..members import Repeated, batch_for, member, shaken


def test_nothing_below_the_diagonal_is_the_vae(rng):
    model, vae = shaken(member("full-covariance-vae", dtype="float64")), shaken(member("vae", dtype="float64"))
    state = vae.state_dict()
    diagonal = [0, 2, 5]  # of the six numbers that make L, row by row
    for part in ("weight", "bias"):
        log_var = state.pop(f"encoder.log_var.{part}")
        factor = np.zeros((*log_var.shape[:-1], 6))
        factor[..., diagonal] = log_var / 2
        state[f"encoder.factor.{part}"] = factor
    model.load_state_dict(state)
    x, _ = batch_for(vae, rng)
    for found, expected in zip(model.bound(x, Repeated()()), vae.bound(x, Repeated()()), strict=True):
        np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-12)


def test_the_entries_of_l_are_where_the_encoder_puts_them(rng):
    model = shaken(member("full-covariance-vae", dtype="float64"))
    x, _ = batch_for(model, rng)
    packed = model.encoder.factor(model.encoder.hidden(x)).numpy()
    q = model.posterior(x)
    rows, columns = np.tril_indices(3)
    expected = np.where(rows == columns, np.exp(packed), packed)
    np.testing.assert_allclose(q.scale_tril.numpy()[:, rows, columns], expected, rtol=1e-12)
    assert not np.triu(q.scale_tril.numpy(), 1).any()
    assert kl(q, model.prior()).shape == (len(x),)


@pytest.fixture
def bench(rng):
    found = LinearGaussian(rng, orthogonal=False)
    assert found.gap() > 0.1
    return found


def test_the_mean_field_gap_is_exact_and_a_full_covariance_closes_it(bench, rng):
    x = bench.data(rng, 40)
    noise = sigma_points(len(x), 3)
    exact = bench.log_marginal(x)
    gaps = {}
    for name in ("vae", "full-covariance-vae"):
        model = on_bench(name, bench)
        train_encoder(model, x, 1500, 0.03, noise)
        gaps[name] = (exact - model.bound(x, noise).value.numpy()).mean()
    assert gaps["vae"] == pytest.approx(bench.gap(), abs=1e-3)
    assert abs(gaps["full-covariance-vae"]) < 1e-3
