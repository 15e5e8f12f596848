"""The list of models by name, and their options, read from their constructors and docstrings."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from functools import cache
from typing import Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

from .adversarial.factor_vae import FactorVAE
from .aggregate.info_vae import InfoVAE
from .aggregate.wae_mmd import WAE
from .autoregressive.made import MADE
from .bound.beta_vae import BetaVAE
from .bound.disentangled_beta_vae import DisentangledBetaVAE
from .bound.iwae import IWAE, MIWAE
from .learning.wake_sleep import WakeSleep
from .model import Model
from .posterior.categorical_vae import CategoricalVAE
from .posterior.full_covariance_vae import FullCovarianceVAE
from .posterior.iaf_vae import IAFVAE
from .posterior.vq_vae import VQVAE
from .prior.cvae import CMMA, CVAE
from .prior.ivae import IVAE
from .vae import VAE

# Arguments that belong to the data or to the run, and are no options of a model.
OF_DATA = ("data_dim", "context_dim")
OF_RUN = ("seed", "dtype", "backend")

MODELS: dict[str, type[Model]] = {
    "vae": VAE,
    "beta-vae": BetaVAE,
    "disentangled-beta-vae": DisentangledBetaVAE,
    "iwae": IWAE,
    "miwae": MIWAE,
    "full-covariance-vae": FullCovarianceVAE,
    "iaf-vae": IAFVAE,
    "made": MADE,
    "cvae": CVAE,
    "cmma": CMMA,
    "ivae": IVAE,
    "categorical-vae": CategoricalVAE,
    "vq-vae": VQVAE,
    "info-vae": InfoVAE,
    "wae-mmd": WAE,
    "factor-vae": FactorVAE,
    "wake-sleep": WakeSleep,
}


class Option(NamedTuple):
    """A constructor's argument.

    Attributes:
        default: what it is when nothing is said.
        kind: int, float, str or bool; of the elements, if there are several.
        several: whether it is a sequence.
        choices: the values that it may have, or None.
        help: what the docstring says of it.
    """

    default: Any
    kind: type
    several: bool
    choices: tuple[str, ...] | None
    help: str


def name_of(model: type[Model]) -> str:
    """The name of a class in :data:`MODELS`; of one that is not there its own, ``module:Class``."""
    names = (name for name, known in MODELS.items() if known is model)
    return next(names, f"{model.__module__}:{model.__qualname__}")


@cache
def arguments(model: type[Model]) -> dict[str, Option]:
    """Every argument of the constructor, those that it hands on to its base's included."""
    found: dict[str, Option] = {}
    for owner in model.__mro__:
        if "__init__" not in vars(owner):
            continue
        hints, texts = get_type_hints(owner.__init__), documented(owner)
        parameters = list(inspect.signature(owner.__init__).parameters.values())[1:]
        for parameter in parameters:
            if parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
                option = _option(parameter.default, hints[parameter.name], texts.get(parameter.name, ""))
                known = found.setdefault(parameter.name, option)
                found[parameter.name] = known._replace(help=known.help or option.help)
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
            break
    return {name: option for name, option in found.items() if name not in model.fixed}


def options(model: type[Model]) -> dict[str, Option]:
    """What the user may choose of a model, by the name of the argument."""
    return {name: option for name, option in arguments(model).items() if name not in OF_DATA + OF_RUN}


def documented(owner: type) -> dict[str, str]:
    """What the ``Args:`` of a class docstring say of each argument; nothing of one that is no Google docstring."""
    from docstring_parser import ParseError, google  # slow to import

    try:
        entries = google.parse(inspect.getdoc(owner)).params
    except ParseError:
        return {}
    said = ((entry.arg_name, " ".join((entry.description or "").split())) for entry in entries if "param" in entry.args)
    return {name: text for names, text in said for name in names.split(", ")}


def _option(default: Any, hint: Any, text: str) -> Option:
    kinds = [kind for kind in get_args(hint) or (hint,) if kind is not type(None)]
    if get_origin(hint) is Literal:
        return Option(default, str, False, get_args(hint), text)
    return Option(default, kinds[0], get_origin(hint) is Sequence, None, text)
