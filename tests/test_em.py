"""``examples/em.py``: its exact steps, and what its committed table says."""

import csv
import importlib
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from .linear_gaussian import LinearGaussian

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


@pytest.fixture
def em(monkeypatch):
    monkeypatch.syspath_prepend(str(EXAMPLES))
    yield importlib.import_module("em")
    sys.modules.pop("em")


def test_the_e_step_of_pca_is_the_posterior(em, rng):
    bench = LinearGaussian(rng, data=6, latent=2, orthogonal=False)
    model = em.PCA(rng, n=7)
    model.x = bench.data(rng, 7)
    theta = bench.weight, np.zeros(6), bench.sigma**2
    mean, covariance = model.e_step(theta)
    np.testing.assert_allclose(mean, bench.posterior_mean(model.x), rtol=1e-10)
    np.testing.assert_allclose(covariance[3], np.linalg.inv(bench.precision), rtol=1e-10)
    assert model.log_likelihood(theta) == pytest.approx(bench.log_marginal(model.x).mean(), rel=1e-12)
    other = mean + 0.3, covariance * 0.5
    lost = [
        stats.multivariate_normal(m, c).entropy() + 0.0 for m, c in zip(other[0], other[1], strict=True)
    ]  # KL(q || posterior) = E_q[log q - log posterior]
    posterior = [stats.multivariate_normal(m, covariance[0]) for m in mean]
    inverse = bench.precision
    kl = [-h - p.logpdf(m) + 0.5 * np.trace(inverse @ c) for h, p, m, c in zip(lost, posterior, *other, strict=True)]
    assert model.bound(other, theta) == pytest.approx(model.log_likelihood(theta) - np.mean(kl), rel=1e-10)


def test_the_e_step_of_the_mixture_is_the_posterior(em, rng):
    model = em.Mixture(rng, n=9)
    pi, means, covariances = model.start
    pi = np.array([0.5, 0.3, 0.2])
    theta = pi, means, covariances * rng.uniform(0.5, 2, (3, 1, 1))
    p = np.stack([w * stats.multivariate_normal(m, s).pdf(model.x) for w, m, s in zip(*theta, strict=True)], axis=1)
    q = model.e_step(theta)
    np.testing.assert_allclose(q, p / p.sum(1, keepdims=True), rtol=1e-10)
    assert model.log_likelihood(theta) == pytest.approx(np.log(p.sum(1)).mean(), rel=1e-12)
    other = rng.dirichlet(np.ones(3), 9)
    kl = (other * np.log(other / q)).sum(1).mean()
    assert model.bound(other, theta) == pytest.approx(model.log_likelihood(theta) - kl, rel=1e-10)


@pytest.mark.parametrize("kind", ["PCA", "Mixture"])
def test_no_other_parameters_are_better_than_those_of_the_m_step(kind, em, rng):
    model = getattr(em, kind)(rng, 60)
    q = model.e_step(model.start)
    theta = model.m_step(q)
    best = model.bound(q, theta)
    for _ in range(20):
        moved = [np.asarray(part) * (1 + 1e-3 * rng.normal(size=np.shape(part))) for part in theta]
        if kind == "Mixture":
            moved[0] = moved[0] / moved[0].sum()
            moved[2] = (moved[2] + moved[2].swapaxes(-1, -2)) / 2
        else:
            moved[2] = float(moved[2])
        assert model.bound(q, tuple(moved)) < best


def test_em_of_pca_comes_to_the_optimum_in_closed_form(em, rng):
    """Tipping & Bishop 1999, Eq. 8: the variance is the mean of the eigenvalues that are left over."""
    model = em.PCA(rng)
    rows = em.em(model, 300)
    values = np.linalg.eigvalsh(np.cov(model.x.T, bias=True))[::-1]
    left = values[2:].mean()
    best = -0.5 * (6 * np.log(2 * np.pi) + np.log(values[:2]).sum() + 4 * np.log(left) + 6)
    assert rows[-1]["log_likelihood"] == pytest.approx(best, abs=1e-8)
    assert rows[0]["log_likelihood"] < best - 1


def test_steps_out_of_order_are_told(em, rng):
    model = em.Mixture(rng)
    model.m_step = lambda q: model.start
    em.em(model, 3)  # nothing moves: no step is worse
    model.m_step = lambda q: (*model.start[:2], model.start[2] * 9)
    with pytest.raises(em.MinivaeError, match=r"step 1: .* are out of order"):
        em.em(model, 3)


@pytest.mark.release
def test_the_committed_table_has_the_chain_and_the_same_optimum():
    with open(EXAMPLES / "results" / "em" / "em.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    for title in dict.fromkeys(row["model"] for row in rows):
        by = {name: [r for r in rows if (r["model"], r["method"]) == (title, name)] for name in ("EM", "AEVB")}
        before = float(by["EM"][0]["log_likelihood"])
        for row in by["EM"][1:]:
            e, m, after = (float(row[key]) for key in ("bound_after_e", "bound_after_m", "log_likelihood"))
            assert e == pytest.approx(before, abs=2e-9)  # (nine digits are written)
            assert e - 2e-9 <= m <= after + 2e-9
            before = after
        last = by["AEVB"][-1]
        assert float(last["bound_after_m"]) <= float(last["log_likelihood"]) <= before + 1e-9
        assert float(last["bound_after_m"]) > before - 0.005
        assert float(last["log_likelihood"]) > before - 0.001
        assert float(by["AEVB"][0]["log_likelihood"]) == pytest.approx(
            float(by["EM"][0]["log_likelihood"]), abs=1e-5
        )  # (a floor below the variance)
