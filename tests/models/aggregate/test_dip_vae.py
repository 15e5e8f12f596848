"""The DIP-VAEs: what the covariance is of, when nothing is paid, what moves nothing, and that training decorrelates."""

import numpy as np
import pytest

from minivae import backend
from minivae.datasets import Dataset, Split
from minivae.models import Batch
from minivae.training import Minibatches, evaluate, fit

from ..members import Repeated, batch_for, member, shaken

BOTH = pytest.mark.parametrize("name", ["dip-vae-1", "dip-vae-2"])
M, L = 7, 2


def made(name, **options):
    return shaken(member(name, dtype="float64", samples=L, **options))


def of_codes(model, x):
    """C by NumPy: of the means, and for II of what is drawn around them."""
    q = model.posterior(x)
    c = np.cov(q.mean.numpy().T, bias=True)
    return c + np.diag(np.exp(q.log_var.numpy()).mean(0)) * (type(model).__name__ == "DIPVAE2")


@BOTH
@pytest.mark.parametrize(
    "weights", [{}, {"off_diagonal": 3.0, "diagonal": 0.5}, {"off_diagonal": 0.0, "diagonal": 0.0}]
)
def test_the_loss_is_the_vaes_and_the_squares(name, weights, rng):
    model, vae = made(name, **weights), shaken(member("vae", dtype="float64", samples=L))
    batch = batch_for(vae, rng, M)
    (found,), (expected,) = (m.phases(batch, Repeated()()) for m in (model, vae))
    c = of_codes(model, batch.x)
    off, diagonal = (c**2).sum() - (np.diag(c) ** 2).sum(), ((np.diag(c) - 1) ** 2).sum()
    assert float(found.terms["off_diagonal"]) == pytest.approx(off, rel=1e-10)
    assert float(found.terms["diagonal"]) == pytest.approx(diagonal, rel=1e-10)
    usual = {"dip-vae-1": (10.0, 100.0), "dip-vae-2": (10.0, 10.0)}[name]
    on_off, on_diagonal = tuple(weights.values()) or usual
    expected = float(expected.loss) + on_off * off + on_diagonal * diagonal
    assert float(found.loss) == pytest.approx(expected, rel=1e-10)


@BOTH
def test_a_constant_beside_the_means_changes_neither_square(name, rng):
    model = made(name)
    batch, found = batch_for(model, rng, M), []
    for shift in (0.0, 3.0):
        model.encoder.mean.bias.data[...] += shift
        terms = model.phases(batch, Repeated()())[0].terms
        found.append([float(terms["off_diagonal"]), float(terms["diagonal"])])
    assert found[1] == pytest.approx(found[0], rel=1e-9)


def test_of_white_means_the_first_pays_nothing(rng):
    """An encoder whose means are the data, which have the covariance I."""
    x = rng.normal(size=(M, 3))
    x = (x - x.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(x.T, bias=True))).T
    model = member("dip-vae-1", data_dim=3, latent_dim=3, hidden=(), likelihood="gaussian", dtype="float64")
    model.encoder.mean.weight.data[...], model.encoder.mean.bias.data[...] = np.eye(3), 0.7
    (phase,) = model.phases(Batch(x), Repeated()())
    assert float(phase.terms["off_diagonal"]) == pytest.approx(0, abs=1e-20)
    assert float(phase.terms["diagonal"]) == pytest.approx(0, abs=1e-20)
    assert float(phase.loss) == pytest.approx(-float(phase.terms["bound"]), rel=1e-12)


@BOTH
def test_an_evaluation_has_the_covariance_of_all_data(name, rng):
    model = made(name)
    data = Split(rng.uniform(size=(23, model.data_dim)))
    minibatches = Minibatches(data, 1.0, dtype="float64")
    found = evaluate(model, minibatches, batch_size=5)
    c = of_codes(model, data.images)
    assert found["off_diagonal"] == pytest.approx((c**2).sum() - (np.diag(c) ** 2).sum(), rel=1e-9)
    assert found["diagonal"] == pytest.approx(((np.diag(c) - 1) ** 2).sum(), rel=1e-9)
    paid = model.off_diagonal * found["off_diagonal"] + model.diagonal * found["diagonal"]
    assert found["objective"] == pytest.approx(found["bound"] - paid, rel=1e-9)


@BOTH
def test_training_takes_what_is_off_the_diagonal_away(name):
    """Data of two correlated sources: beside the VAE's codes the norm off the diagonal is less than a tenth."""
    rng = np.random.default_rng(0)
    sources = rng.normal(size=(600, 2)) @ np.array([[1.0, 0.8], [0.0, 0.6]])
    part = Split((sources @ rng.normal(size=(2, 6)) + 0.1 * rng.normal(size=(600, 6))).astype("float32"))
    data, norms = Dataset("correlated", part, part, None, 1.0, "the same rows"), []
    for weight in (0.0, 50.0):
        options = {"likelihood": "gaussian", "variance": 0.1, "off_diagonal": weight}
        model = member(name, data_dim=6, latent_dim=2, hidden=(), **options)
        fit(model, data, epochs=60, batch_size=100, lr=0.02, report_every=60, progress=False)
        norms.append(off_norm(model, part))
    assert norms[1] < norms[0] / 10


def off_norm(model, part):
    minibatches = Minibatches(part, 1.0)
    x, _ = minibatches.batch(np.arange(len(part)), backend.generator(0))
    c = of_codes(model, x)
    return np.sqrt((c**2).sum() - (np.diag(c) ** 2).sum())
