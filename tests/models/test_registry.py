"""The list of models, and what the user may choose of each."""

from minivae.models import MODELS
from minivae.models.registry import OF_DATA, OF_RUN, arguments, options

from .members import EVERY_MEMBER


@EVERY_MEMBER
def test_options_are_the_arguments_that_belong_to_no_data_and_no_run(name):
    model = MODELS[name]
    chosen = options(model)
    assert chosen
    assert chosen.keys() == arguments(model).keys() - {*OF_DATA, *OF_RUN}
    assert not chosen.keys() & {"data_dim", "context_dim", "seed", "dtype", "backend"}
