"""The list of models, and what the user may choose of each."""

import pytest

from minivae import models
from minivae.models import MODELS
from minivae.models.registry import OF_DATA, OF_RUN, arguments, documented, options

from .members import EVERY_MEMBER


@EVERY_MEMBER
def test_every_model_is_a_name_in_minivae_models(name):
    model = MODELS[name]
    assert getattr(models, model.__name__, None) is model


@EVERY_MEMBER
def test_options_are_the_arguments_that_belong_to_no_data_and_no_run(name):
    model = MODELS[name]
    chosen = options(model)
    assert chosen
    assert chosen.keys() == arguments(model).keys() - {*OF_DATA, *OF_RUN, *model.no_options}
    assert not chosen.keys() & {"data_dim", "context_dim", "seed", "dtype", "backend"}


class Documented:
    """A class.

    Args:
        x: what comes
            over two lines: all of it.
        y, z: the rest.

    Attributes:
        w: is no argument.
    """


class Undocumented:
    pass


class Unfinished:
    """A class.

    Args:
        x: what comes.
        y
    """


class Unsaid:
    """A class.

    Args:
        x:
        y: the rest.
    """


@pytest.mark.parametrize(
    ("owner", "said"),
    [
        (Documented, {"x": "what comes over two lines: all of it.", "y": "the rest.", "z": "the rest."}),
        (Undocumented, {}),
        (Unfinished, {}),
        (Unsaid, {"x": "", "y": "the rest."}),
    ],
)
def test_what_a_docstring_says_of_arguments(owner, said):
    assert documented(owner) == said
