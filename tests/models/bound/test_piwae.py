"""PIWAE: the decoder's gradient is IWAE's, the encoder's MIWAE's, on one set of samples."""

import numpy as np
import pytest

from minivae.autodiff import backward

from ..members import Repeated, batch_for, member, shaken

GROUPS, K = 3, 2


def gradients_of(model, phase):
    names = {id(p): name for name, p in model.named_parameters()}
    made = backward(phase.loss, phase.parameters, retain_graph=True)
    return {names[id(p)]: g.numpy() for p, g in zip(phase.parameters, made, strict=True)}


@pytest.mark.parametrize("weight", [None, 0.3])
def test_each_part_has_the_gradient_of_its_bound(weight, rng):
    """With a weight on the KL's part, too."""
    kinds = {"piwae": {"groups": GROUPS, "samples": K}, "iwae": {"samples": GROUPS * K}}
    kinds["miwae"] = kinds["piwae"]
    models = {name: shaken(member(name, dtype="float64", **options)) for name, options in kinds.items()}
    batch, noise = batch_for(models["iwae"], rng), Repeated()

    def phases(model):
        if weight is None:
            return model.phases(batch, noise())
        return model.phases_at(batch, noise(), model.scalar(weight))

    by_decoder, by_encoder = phases(models["piwae"])
    (iwae,), (miwae,) = phases(models["iwae"]), phases(models["miwae"])
    found = gradients_of(models["piwae"], by_decoder), gradients_of(models["piwae"], by_encoder)
    whole, grouped = gradients_of(models["iwae"], iwae), gradients_of(models["miwae"], miwae)
    assert all(name.startswith("decoder") for name in found[0])
    assert all(name.startswith("encoder") for name in found[1])
    assert {*found[0], *found[1]} == set(whole)
    for ours, theirs in zip(found, (whole, grouped), strict=True):
        for name, g in ours.items():
            np.testing.assert_allclose(g, theirs[name], rtol=1e-10, atol=1e-14)
    assert float(by_decoder.loss) == pytest.approx(float(iwae.loss), rel=1e-14)
    assert float(by_encoder.loss) == pytest.approx(float(miwae.loss), rel=1e-14)
    assert float(by_decoder.terms["bound"]) > float(by_encoder.terms["encoder_bound"]) or weight is not None
