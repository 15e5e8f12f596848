"""Faults that all tests of models once let pass, each alone: twins and stored numbers notice them."""

import pytest

from minivae.autodiff import stop_gradient
from minivae.backend import Generator
from minivae.distributions import Categorical, Flow
from minivae.inference import mcem
from minivae.models.adversarial.factor_vae import FactorVAE
from minivae.models.aggregate import info_vae
from minivae.models.bound.iwae import IWAE
from minivae.models.posterior import vq_vae

from . import test_stored


def mmd_held(patch):
    whole = info_vae.aggregate_mmd
    patch.setattr(info_vae, "aggregate_mmd", lambda *arguments: stop_gradient(whole(*arguments)))


def tc_not_in_the_loss(patch):
    whole = FactorVAE.phases

    def phases(self, batch, noise):
        first, critic = whole(self, batch, noise)
        return [first._replace(loss=-first.terms["bound"]), critic]

    patch.setattr(FactorVAE, "phases", phases)


def relaxed_sample_held(patch):
    whole = Categorical.relax
    patch.setattr(Categorical, "relax", lambda *arguments: stop_gradient(whole(*arguments)))


def log_q_held(patch):
    whole = Flow.elements

    def elements(self, noise):
        z, log_q = whole(self, noise)
        return z, stop_gradient(log_q)

    patch.setattr(Flow, "elements", elements)


def one_sample_of_a_generator(patch):
    whole = IWAE.noise

    def noise(self, q, noise, samples=None):
        return whole(self, q, noise, 1 if isinstance(noise, Generator) else samples)

    patch.setattr(IWAE, "noise", noise)


def codes_not_held_before_the_list(patch):
    calls = []

    def first_one_passes(x):
        calls.append(x)
        return x if len(calls) % 3 == 1 else stop_gradient(x)  # the list, the commitment, straight through

    patch.setattr(vq_vae, "stop_gradient", first_one_passes)


def prior_over_weights_by_the_wrong_axis(patch):
    whole = mcem.weight_log_prior
    patch.setattr(mcem, "weight_log_prior", lambda parameters: whole(parameters) * (9 / 6))  # N / D


FAULTS = {
    "info-vae": mmd_held,
    "factor-vae": tc_not_in_the_loss,
    "categorical-vae": relaxed_sample_held,
    "iaf-vae": log_q_held,
    "iwae": one_sample_of_a_generator,
    "vq-vae": codes_not_held_before_the_list,
    "mcem": prior_over_weights_by_the_wrong_axis,
}
EVERY_FAULT = pytest.mark.parametrize(("name", "fault"), FAULTS.items(), ids=[f.__name__ for f in FAULTS.values()])


def compare_with_stored(name):
    for title in test_stored.TABLE[name]:
        test_stored.test_values_and_gradients(name, title)


def compare_with_twin(name):
    from . import test_mcem, test_twins

    if name == "mcem":
        test_mcem.test_three_steps("usual", "adam", True)
    for _, _, options in (row for row in test_twins.ROWS if row[0] == name):
        test_twins.test_values_and_gradients(name, options, "float64")


@EVERY_FAULT
def test_stored_numbers_notice_it(name, fault, monkeypatch):
    compare_with_stored(name)
    fault(monkeypatch)
    with pytest.raises(AssertionError):
        compare_with_stored(name)


@EVERY_FAULT
def test_the_twin_notices_it(name, fault, monkeypatch):
    pytest.importorskip("torch", reason="the oracle is PyTorch: pip install 'minivae[oracle]'")
    fault(monkeypatch)
    with pytest.raises(AssertionError):
        compare_with_twin(name)
