"""A model that another is made for, in a second stage: a copy of it, and what makes it again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from ..checks import instance, known_names, one_of, switch
from ..errors import InputError
from .model import Model, taken
from .own import is_own

Kind = TypeVar("Kind", bound=Model)


def first_stage(
    first: Any, kinds: Mapping[str, type[Kind]], data_dim: int, of_run: Mapping[str, Any]
) -> tuple[Kind, dict[str, Any]]:
    """The model of the first stage, which shares nothing with what is given, and its options.

    Args:
        first: a trained model, to be held as it is; or a dict of options, as the other result is: ``model``, a name of
            ``kinds``, by default the first of them; ``held``; arguments of the class. None for no options.
        kinds: which there may be, by name.
        data_dim: the length of x.
        of_run: seed, dtype and backend.

    Returns:
        the model, with the weights of ``first`` if that is one; and a dict that JSON can hold, of which the same model
        is made, but for its weights.

    Raises:
        InputError: ``first`` is of another kind, of other data, or has a likelihood of the user's own, whose code
            would have to be said again; or an option is none.
    """
    if isinstance(first, Model):
        given = {"model": _name_of(first, kinds, data_dim), "held": True, **first.config}
    else:
        given = {**instance("first", {} if first is None else first, Mapping, "a model, or a dict of its options")}
    name = one_of("first['model']", given.pop("model", next(iter(kinds))), kinds)
    held = switch("first['held']", given.pop("held", False))
    given.pop("data_dim", None)
    known_names("first", given, sorted(taken(kinds[name]) - {"data_dim", *of_run}))
    made = kinds[name](data_dim, **given, **of_run)
    if isinstance(first, Model):
        made.load_state_dict(first.state_dict())
    return made, {"model": name, "held": held, **{option: made.config[option] for option in given}}


def _name_of(first: Model, kinds: Mapping[str, type[Model]], data_dim: int) -> str:
    name = next((name for name, kind in kinds.items() if type(first) is kind), "")
    if not name:
        expected = " or a ".join(kind.__name__ for kind in kinds.values())
        raise InputError(f"first is a {type(first).__name__}; expected a {expected}, whose z is made of codes alone")
    if first.data_dim != data_dim:
        raise InputError(f"first was built for data_dim={first.data_dim}, but data_dim is {data_dim}")
    if is_own(first.config["likelihood"]):
        raise InputError(f"first has a likelihood of your own, {first.config['likelihood']}; expected one of minivae's")
    return name
