"""The model of a first stage: a copy that shares nothing, and options that make it again."""

import json

import numpy as np
import pytest

from minivae.errors import InputError
from minivae.models import VAE, VQVAE, CategoricalVAE
from minivae.models.first_stage import first_stage

from .members import shaken

KINDS = {"vq-vae": VQVAE, "categorical-vae": CategoricalVAE}
OF_RUN = {"seed": 3, "dtype": "float64", "backend": None}
SIZES = {"num_codes": 3, "entries": 5, "code_dim": 2, "hidden": (4,), "commitment": 0.7, "likelihood": "gaussian"}


def test_a_trained_model_is_copied(rng):
    trained = shaken(VQVAE(6, **SIZES, dtype="float64"))
    copy, options = first_stage(trained, KINDS, 6, OF_RUN)
    x, before = rng.normal(size=(4, 6)), trained.state_dict()
    np.testing.assert_array_equal(copy.encode(x).numpy(), trained.encode(x).numpy())
    for p in copy.parameters():
        p.data[...] += 1.0
    for name, value in trained.state_dict().items():
        np.testing.assert_array_equal(value, before[name])
    assert (options["model"], options["held"], options["commitment"]) == ("vq-vae", True, 0.7)
    again, same = first_stage(json.loads(json.dumps(options)), KINDS, 6, OF_RUN)
    assert (again.config, same) == (trained.config, options)


def test_of_options_one_is_made_that_is_not_held():
    made, options = first_stage({"model": "categorical-vae", "variables": 2}, KINDS, 6, OF_RUN)
    assert type(made) is CategoricalVAE
    assert options == {"model": "categorical-vae", "held": False, "variables": 2}
    assert made.state_dict().keys() == CategoricalVAE(6, variables=2).state_dict().keys()
    made, options = first_stage(None, KINDS, 6, OF_RUN)
    assert (type(made), options) == (VQVAE, {"model": "vq-vae", "held": False})


def test_weights_of_another_dtype_are_converted():
    copy, _ = first_stage(shaken(VQVAE(6, **SIZES, dtype="float64")), KINDS, 6, {**OF_RUN, "dtype": "float32"})
    assert {p.dtype.name for p in copy.parameters()} == {"float32"}


class Mine(VQVAE):
    """One of the user's own, which would come back as another class."""


@pytest.mark.parametrize(
    ("first", "said"),
    [
        (VAE(6, 2, (3,)), "first is a VAE; expected a VQVAE or a CategoricalVAE"),
        (Mine(6, (3,)), "first is a Mine; expected"),
        (VQVAE(7, (3,)), "first was built for data_dim=7, but data_dim is 6"),
        ({"model": "vea"}, r"first\['model'\] is 'vea'; expected one of vq-vae, categorical-vae"),
        ({"num_code": 3}, "num_code is no argument of first; .* did you mean 'num_codes'"),
        ({"seed": 4}, "seed is no argument of first"),
        ({"held": "yes"}, r"first\['held'\] is 'yes'"),
    ],
)
def test_what_is_no_first_stage_is_refused(first, said):
    with pytest.raises(InputError, match=said):
        first_stage(first, KINDS, 6, OF_RUN)


def test_a_likelihood_of_the_user_s_own_is_refused():
    """Its code would run again whenever the second stage is opened."""
    model = VQVAE(6, (3,))
    model.config["likelihood"] = "mine.py:Mine"
    with pytest.raises(InputError, match=r"first has a likelihood of your own, mine.py:Mine"):
        first_stage(model, KINDS, 6, OF_RUN)
