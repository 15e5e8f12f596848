"""The list of models by name, and their options, read from their constructors and docstrings."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from functools import cache
from types import NoneType
from typing import Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

from ..errors import InputError, shown
from ..nn import Module
from .adversarial.aae import AAE
from .adversarial.factor_vae import FactorVAE
from .adversarial.gan import GAN
from .adversarial.labelled_aae import LabelledAAE
from .adversarial.wae_gan import WAEGAN
from .aggregate.beta_tcvae import BetaTCVAE
from .aggregate.dip_vae import DIPVAE1, DIPVAE2
from .aggregate.hfvae import HFVAE
from .aggregate.info_vae import InfoVAE
from .aggregate.swae import SWAE
from .aggregate.wae_mmd import WAE
from .autoregressive.autoregressive_prior import AutoregressivePrior
from .autoregressive.made import MADE
from .bound.beta_vae import BetaVAE
from .bound.ciwae import CIWAE
from .bound.disentangled_beta_vae import DisentangledBetaVAE
from .bound.iwae import IWAE
from .bound.miwae import MIWAE
from .bound.piwae import PIWAE
from .bound.renyi import Renyi
from .hierarchy.ladder_vae import LadderVAE
from .learning.wake_sleep import WakeSleep
from .likelihood.log_cosh_vae import LogCoshVAE
from .likelihood.sigma_vae import SigmaVAE
from .likelihoods import Likelihood
from .model import Model, constructors
from .own import find_class, name_in
from .posterior.auxiliary_vae import AuxiliaryVAE
from .posterior.bn_vae import BNVAE
from .posterior.categorical_vae import CategoricalVAE
from .posterior.coupling_vae import CouplingVAE
from .posterior.full_covariance_vae import FullCovarianceVAE
from .posterior.householder_vae import HouseholderVAE
from .posterior.hyperspherical_vae import HypersphericalVAE
from .posterior.iaf_vae import IAFVAE
from .posterior.joint_vae import JointVAE
from .posterior.planar_vae import PlanarVAE
from .posterior.radial_vae import RadialVAE
from .posterior.vq_vae import VQVAE
from .prior.cvae import CMMA, CVAE
from .prior.f_vae import FVAE
from .prior.flow_prior_vae import FlowPriorVAE
from .prior.ivae import IVAE
from .prior.vamp_vae import VampVAE
from .semi_supervised.m1_m2 import M1M2
from .semi_supervised.m2 import M2
from .sequence.td_vae import TDVAE
from .vae import DECODERS, VAE

# Arguments that belong to the data or to the run, and are no options of a model.
OF_DATA = ("data_dim", "context_dim", "sequence_length")
OF_RUN = ("seed", "dtype", "backend")

MODELS: dict[str, type[Model]] = {
    "vae": VAE,
    "beta-vae": BetaVAE,
    "disentangled-beta-vae": DisentangledBetaVAE,
    "log-cosh-vae": LogCoshVAE,
    "sigma-vae": SigmaVAE,
    "iwae": IWAE,
    "miwae": MIWAE,
    "ciwae": CIWAE,
    "piwae": PIWAE,
    "renyi": Renyi,
    "full-covariance-vae": FullCovarianceVAE,
    "bn-vae": BNVAE,
    "iaf-vae": IAFVAE,
    "planar-vae": PlanarVAE,
    "radial-vae": RadialVAE,
    "householder-vae": HouseholderVAE,
    "coupling-vae": CouplingVAE,
    "auxiliary-vae": AuxiliaryVAE,
    "hyperspherical-vae": HypersphericalVAE,
    "ladder-vae": LadderVAE,
    "made": MADE,
    "cvae": CVAE,
    "cmma": CMMA,
    "ivae": IVAE,
    "vamp-vae": VampVAE,
    "flow-prior-vae": FlowPriorVAE,
    "f-vae": FVAE,
    "m2": M2,
    "m1-m2": M1M2,
    "td-vae": TDVAE,
    "categorical-vae": CategoricalVAE,
    "joint-vae": JointVAE,
    "vq-vae": VQVAE,
    "autoregressive-prior": AutoregressivePrior,
    "info-vae": InfoVAE,
    "wae-mmd": WAE,
    "swae": SWAE,
    "dip-vae-1": DIPVAE1,
    "dip-vae-2": DIPVAE2,
    "factor-vae": FactorVAE,
    "beta-tcvae": BetaTCVAE,
    "hfvae": HFVAE,
    "wae-gan": WAEGAN,
    "aae": AAE,
    "labelled-aae": LabelledAAE,
    "gan": GAN,
    "wake-sleep": WakeSleep,
}


# The groups in which an installed package offers models and likelihoods of its own.
ENTRY_POINTS, LIKELIHOODS_ENTRY_POINTS = "minivae.models", "minivae.likelihoods"


def named(name: str) -> tuple[str, type[Model]]:
    """A model's class by its name here, ``file.py:Class``, ``package.module:Class`` or an entry point's name.

    Code of the user's own is run to find it. The other result is the name that a run stores.

    Raises:
        InputError: there is no such model, or its code fails.
    """
    return find_class("model", name, MODELS, Model, ENTRY_POINTS)


def named_likelihood(name: str) -> tuple[str, type[Module]]:
    """A likelihood's class, by a name as of :func:`named`, and the name that a run stores.

    Raises:
        InputError: there is no such likelihood, or its code fails.
    """
    return find_class("likelihood", name, DECODERS, Likelihood, LIKELIHOODS_ENTRY_POINTS)


class Option(NamedTuple):
    """A constructor's argument.

    Attributes:
        default: what it is when nothing is said.
        kind: int, float, str or bool; of the elements, if there are several.
        several: whether it is a sequence.
        choices: the values that it may have, or None.
        help: what the docstring says of it.
        own: whether a likelihood of the user's own may be in the place of a choice.
    """

    default: Any
    kind: type
    several: bool
    choices: tuple | None
    help: str
    own: bool = False


def name_of(model: type[Model]) -> str:
    """The name of a class in :data:`MODELS`; of one that is not there its own, ``module:Class``."""
    return name_in(MODELS, model)


@cache
def arguments(model: type[Model]) -> dict[str, Option]:
    """Every argument of the constructor, those that it hands on to its base's included.

    Raises:
        InputError: one of a model of the user's own has no type, no default, or a type that no option has.
    """
    found: dict[str, Option] = {}
    for owner, parameters in constructors(model):
        hints, texts = _hints(owner) if parameters else {}, documented(owner)
        for parameter in parameters:
            unsaid = parameter.name in (*OF_DATA, *OF_RUN, *model.no_options)
            option = _option(owner, parameter, hints, texts.get(parameter.name, ""), unsaid)
            known = found.setdefault(parameter.name, option)
            found[parameter.name] = known._replace(help=known.help or option.help)
    if "data_dim" not in found:
        raise InputError(f"{model.__name__} has no argument data_dim; expected it, the length of a data point")
    return {name: option for name, option in found.items() if name not in model.fixed}


def options(model: type[Model]) -> dict[str, Option]:
    """What the user may choose of a model, by the name of the argument."""
    unsaid = (*OF_DATA, *OF_RUN, *model.no_options)
    return {name: option for name, option in arguments(model).items() if name not in unsaid}


def documented(owner: type) -> dict[str, str]:
    """What the ``Args:`` of a class docstring say of each argument; nothing of one that is no Google docstring, or of
    an argument for which it sends the reader to another class.
    """
    from docstring_parser import ParseError, google  # slow to import

    try:
        entries = google.parse(inspect.getdoc(owner)).params
    except ParseError:
        return {}
    said = ((entry.arg_name, " ".join((entry.description or "").split())) for entry in entries if "param" in entry.args)
    return {name: text for names, text in said for name in names.split(", ") if not text.startswith("see :class:")}


def require_remembered(model: Model) -> None:
    """Check that a model can be built again as it is: every option is in its ``config``.

    Raises:
        InputError: one is not; a run would be opened with its default in silence.
    """
    for name in options(type(model)):
        if name not in model.config:
            raise InputError(
                f"{type(model).__name__} does not remember its argument {name}; "
                f"expected self.remember({name}={name}) in its constructor"
            )


def _hints(owner: type) -> dict[str, Any]:
    try:
        return get_type_hints(owner.__init__)
    except Exception as error:  # a name that is not there, or a type that is none: whatever evaluating it raises
        raise InputError(
            f"the annotations of {owner.__name__}.__init__ are not understood ({error}); expected types such as float"
        ) from error


def _option(owner: type, parameter: inspect.Parameter, hints: dict[str, Any], text: str, unsaid: bool) -> Option:
    name, what = parameter.name, f"argument {parameter.name} of {owner.__name__}"
    if unsaid:  # not said on the command line, or of the same kind for all
        return Option(parameter.default, type(parameter.default), False, None, text)
    if name not in hints:
        raise InputError(f"{what} has no annotation; expected its type, as in  {name}: float = 1.0")
    if parameter.default is parameter.empty:
        raise InputError(
            f"{what} has no default; expected one, as in  {name}: {inspect.formatannotation(hints[name])} = ..."
        )
    kind, several, choices = _kind(hints[name])
    if kind not in (int, float, str, bool):
        raise InputError(
            f"{what} is annotated with {shown(hints[name])}; expected int, float, str, bool, a Literal, "
            "a Sequence of one of these, or one of these or None"
        )
    return Option(parameter.default, kind, several, choices, text, type[Likelihood] in get_args(hints[name]))


def _kind(hint: Any) -> tuple[Any, bool, tuple | None]:
    """What an annotation says: the kind of a value, whether there are several, and which there are."""
    parts = [part for part in get_args(hint) if part not in (NoneType, Ellipsis, type[Likelihood])]
    if get_origin(hint) is Literal:
        return type(parts[0]), False, tuple(parts)
    if get_origin(hint) in (Sequence, list, tuple) and len(parts) == 1:
        return parts[0], True, None
    if {*parts} == {int, float}:
        return float, False, None
    return (hint, False, None) if len(parts) != 1 else _kind(parts[0])
