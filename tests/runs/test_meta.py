"""The metadata of a checkpoint, field by field."""

import json

import pytest

from minivae.errors import InputError
from minivae.runs.meta import FIELDS, require_meta

from ..training.conftest import small_trainer


@pytest.fixture(scope="module")
def meta(digits):
    """What a real trainer writes, as JSON gives it back."""
    trainer = small_trainer(digits)
    trainer.train_step()
    trainer.report()
    return json.loads(json.dumps(trainer.state()[1]))


def test_what_a_trainer_writes_is_right(meta):
    require_meta(meta)
    assert meta.keys() == FIELDS.keys()


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_that_is_missing_is_named(meta, name):
    rest = {field: value for field, value in meta.items() if field != name}
    with pytest.raises(InputError, match=f"meta has no {name}; expected settings, model"):
        require_meta(rest)
    require_meta(rest, *rest)


NO_MAPPING, NO_COUNT = (None, [], "x", 3), (None, -1, 1.0, True, "3", 10**4000, [])
WRONG = [(name, value) for name in ("settings", "model", "run") for value in NO_MAPPING]
WRONG += [(name, value) for name in ("step", "running_steps") for value in NO_COUNT]
WRONG += [("seconds", value) for value in (None, -0.1, float("nan"), float("inf"), "1", True, 10**4000)]
WRONG += [("history", value) for value in (None, {}, "x", [[]], [None], [{}, 3])]
WRONG += [("history", [{"epoch": 1}, {"bound": value}]) for value in (None, "1", True, [], float("nan"), -(10**400))]


@pytest.mark.parametrize(("name", "value"), WRONG, ids=lambda value: repr(value)[:30])
def test_a_field_of_another_kind_is_named(meta, name, value):
    with pytest.raises(InputError, match=rf"^{name}.* is .*; expected") as raised:
        require_meta({**meta, name: value})
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 200
