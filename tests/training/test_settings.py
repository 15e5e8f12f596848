"""Settings are checked before any work starts."""

import pytest

from minivae.errors import InputError
from minivae.training import Settings


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("epochs", 0, "epochs is 0; expected an integer of at least 1"),
        ("epochs", 2.0, "epochs is 2.0; expected an integer"),
        ("epochs", True, "epochs is True; expected an integer"),
        ("batch_size", -1, "batch_size is -1; expected an integer of at least 1"),
        ("report_every", 0, "report_every is 0; expected an integer"),
        ("patience", 0, "patience is 0; expected an integer"),
        ("lr", 0.0, "lr is 0.0; expected a finite number above 0"),
        ("lr", float("nan"), "lr is nan; expected a finite number"),
        ("lr", "fast", "lr is 'fast'; expected a finite number"),
        ("binarize", "dynamik", "did you mean 'dynamic'"),
        ("optimizer", "adan", "did you mean 'adam'"),
        ("schedule", "cosin", "did you mean 'cosine'"),
    ],
)
def test_a_bad_value_is_named(name, value, expected):
    with pytest.raises(InputError) as raised:
        Settings(**{name: value})
    assert expected in str(raised.value)
    assert name in str(raised.value)


def test_the_defaults_are_those_of_the_paper_where_it_has_them():
    settings = Settings()
    assert settings.batch_size == 100  # Algorithm 1
    assert settings.binarize == "none"
    assert settings.weight_prior is False
