"""The beta-TCVAE: all weights 1 is estimator A, the parts make the KL, each has its price; N and where it is from."""

from dataclasses import replace

import numpy as np
import pytest

from minivae import backend
from minivae.autodiff import backward
from minivae.datasets import load
from minivae.errors import InputError
from minivae.models import MODELS, Batch
from minivae.regularizers import split_kl
from minivae.runs import Run
from minivae.training import Settings, Trainer, evaluate, fit

from ...training.conftest import digits  # noqa: F401 (a fixture)
from ..members import Repeated, batch_for, member, shaken

M, L = 7, 2


def made(**options):
    model = shaken(member("beta-tcvae", dtype="float64", samples=L, **options))
    model.begin(50)
    return model


@pytest.mark.parametrize("weighting", ["mss", "mws"])
def test_all_weights_1_is_the_vae_with_estimator_a(weighting, rng):
    model = made(beta=1.0, weighting=weighting)
    vae = shaken(member("vae", dtype="float64", samples=L, estimator="A"))
    batch = batch_for(vae, rng, M)
    (found,), (expected,) = (m.phases(batch, Repeated()()) for m in (model, vae))
    assert float(found.loss) == pytest.approx(float(expected.loss), rel=1e-12)
    assert {name: float(found.terms[name]) for name in expected.terms} == pytest.approx(
        {name: float(term) for name, term in expected.terms.items()}, rel=1e-12
    )
    for a, b in zip(*(backward(o.loss, o.parameters) for o in (found, expected)), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("prices", [{}, {"alpha": 0.3, "beta": 2.5, "gamma": 1.7}, {"alpha": 0.0, "beta": 0.0}])
def test_each_part_has_its_price_and_they_make_the_kl(prices, rng):
    model = made(**prices)
    (phase,) = model.phases(batch_for(model, rng, M), Repeated()())
    terms = {name: float(value) for name, value in phase.terms.items()}
    assert terms["information_mws"] + terms["tc_mws"] + terms["dimensions_mws"] == pytest.approx(terms["kl"], rel=1e-12)
    weights = {"alpha": 1.0, "beta": 6.0, "gamma": 1.0} | prices
    paid = zip(weights.values(), ("information_mws", "tc_mws", "dimensions_mws"), strict=True)
    expected = sum(weight * terms[name] for weight, name in paid) - terms["reconstruction"]
    assert float(phase.loss) == pytest.approx(expected, rel=1e-12)


def test_n_is_in_the_weights(rng):
    model = made(weighting="mss")
    x, _ = batch_for(model, rng, M)
    q, p = model.posterior(x), model.prior()
    epsilon = rng.normal(size=(L, M, 3))
    z = q.sample(epsilon)
    found = []
    for n in (50, 5000):
        model.begin(n)
        (phase,) = model.phases(Batch(x), epsilon)
        expected = split_kl(q, z, q.log_prob(z), p.log_prob(z), data_points=n, weighting="mss").between.numpy().mean()
        assert float(phase.terms["tc_mss"]) == pytest.approx(expected, rel=1e-9)
        found.append(expected)
    assert abs(found[0] - found[1]) > 0.01 * abs(found[0])


def test_leaving_the_own_point_out_is_no_choice():
    """Its total correlation has no lower end, so that training would leave for it."""
    with pytest.raises(InputError, match="weighting is 'loo'; expected one of mws, mss"):
        member("beta-tcvae", weighting="loo")


def test_training_tells_n_and_a_run_remembers_it(digits, tmp_path):  # noqa: F811
    model = member("beta-tcvae", data_dim=64)
    assert float(model.data_points) == 0
    run = Run.create(tmp_path / "run")
    fit(model, digits, run=run, epochs=1, batch_size=50, progress=False)
    assert float(model.data_points) == len(digits.train)
    opened = Run.open(run.folder)
    assert opened.config["dataset"]["points"]["train"] == len(digits.train)
    again = opened.load_model()
    assert float(again.data_points) == len(digits.train)
    trainer = Trainer(member("beta-tcvae", data_dim=64), digits, Settings(epochs=1, batch_size=50))
    assert evaluate(again, trainer.test) == evaluate(model, trainer.test)


def test_of_another_training_n_is_another(digits):  # noqa: F811
    model = member("beta-tcvae", data_dim=64)
    for data in (digits, replace(digits, train=digits.train.sample(60))):
        Trainer(model, data, Settings(epochs=1, batch_size=10))
        assert float(model.data_points) == len(data.train)


@pytest.mark.slow
def test_what_is_paid_for_goes_down_on_the_digits():
    """q(z) of all training points, which is no estimate: docs/family.md has these numbers."""
    data, found = load("digits"), {}
    for title, options in {"beta 1": {"beta": 1.0}, "mws": {}, "mss": {"weighting": "mss"}}.items():
        model = MODELS["beta-tcvae"](64, 8, (200,), **options)
        fit(model, data, epochs=60, lr=0.005, report_every=60, progress=False)
        q = model.posterior(data.train.images / np.float32(16))
        z, log_q = q.sample_with_log_prob(backend.generator(0), 1)
        split = split_kl(q, z, log_q, model.prior().log_prob(z), data_points=len(z[0]))
        found[title] = {"information": split.information.numpy().mean(), "tc": split.between.numpy().mean()}
    assert [found[title]["tc"] for title in found] == pytest.approx([0.29, 0.06, 0.17], abs=0.05)
    assert found["mss"]["information"] > found["beta 1"]["information"] + 1  # what its bias is paid with
    assert found["mws"]["information"] < found["beta 1"]["information"]
