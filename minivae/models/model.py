"""What training, evaluation, plotting and the command line know of a model."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import backend
from ..autodiff import Tensor, as_tensor, log1p, no_grad, one_hot_of_largest, tracing
from ..backend import Generator, require_generator
from ..checks import instance, integer_from_zero, lengths, positive_integer
from ..datasets.domain import COUNTS, REAL, Domain
from ..datasets.preparation import Preparation
from ..distributions import Distribution
from ..errors import InputError
from ..nn import Module
from .phase import Batch, Phase


def constructors(kind: type) -> Iterator[tuple[type, list[inspect.Parameter]]]:
    """Each class whose constructor ``kind`` goes through, and its arguments; others are handed on to the next."""
    for owner in kind.__mro__:
        if "__init__" in vars(owner):
            parameters = list(inspect.signature(owner.__init__).parameters.values())[1:]
            yield owner, [p for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
            if not any(p.kind is p.VAR_KEYWORD for p in parameters):
                return


def taken(kind: type[Model]) -> set[str]:
    """The names of the arguments that ``kind`` can be made with: its constructor's, without those decided on."""
    return {p.name for _, parameters in constructors(kind) for p in parameters} - {*kind.fixed}


class Model(Module):
    """Base of the models with a latent variable z: prior p(z), likelihood p(x|z), posterior q(z|x).

    Attributes:
        minimises: the loss in a line: D is -log p(x|z), R is KL(q(z|x) || p(z)).
        source: author, year and title or number of the paper.
        fixed: names of the base's arguments that a variant has decided on, and does not take.
        no_options: names of arguments that are no options of a command line: a model of another stage.
        config: the constructor's arguments that rebuild the model, as JSON can hold them;
            without seed, dtype and backend, which belong to a run.
        data_dim, latent_dim: the lengths of x and z; without a latent variable the latter is 0.
        sequence_length: the steps of a data point of a model of sequences; 1 of others.
        context_dim: the length of the context, one-hot labels in training; 0 for none.
        partly_told: whether it may be told a row of zeros, for a data point whose label is missing; it then has
            ``classify``, and is trained on data of which some have one.
        domain: the model values that the likelihood is for.
        least_points: the fewest data points of a minibatch, which its objective may compare with each other.
        num_categories: the most values that a number of a discrete z has, for ``codes``; 0 if z is continuous.
        draws: how many draws of z a phase takes for each data point; 0 where z is a point, or absent.
        no_log_likelihood: why log p(x) cannot be estimated with the encoder; empty if it can.
        no_codes: why a data point has no code; empty if it has.
        no_density: why p(x|z) has no density, which comes after the name of the model; empty if it has.
        preparation: what stands between the data's own units and the values that p(x|z) and q(z|x) are of;
            training sets it to that of the data. None for nothing. What users call takes and gives the data's
            own units: ``bound``, ``encode``, ``codes``, ``decode``, ``reconstruct``, ``sample``, and the
            estimates of :mod:`minivae.inference`. ``posterior``, ``likelihood`` and ``phases`` have model values.
        on_sphere: whether z is a vector of length 1, so that from code to code lead great circles, not straight lines.
        kl_weight: what R is multiplied by in the loss of the first phase, whose terms have it as ``kl``.
        no_kl: why training cannot change what the KL costs (warm-up, free bits); empty if it can.
        no_free_bits: why it can weigh the KL but has no free bits; empty if it has.
    """

    minimises: str = ""
    source: str = ""
    fixed: tuple[str, ...] = ()
    no_options: tuple[str, ...] = ()
    config: dict[str, Any]
    data_dim: int
    latent_dim: int
    sequence_length: int = 1
    context_dim: int = 0
    partly_told: bool = False
    domain: Domain = REAL
    least_points: int = 1
    num_categories: int = 0
    draws: int = 0
    no_log_likelihood: str = ""
    no_codes: str = ""
    no_density: str = ""
    preparation: Preparation | None = None
    on_sphere: bool = False
    kl_weight: float = 1.0
    no_kl: str = "its class does not say that its loss holds a KL (Model.no_kl)"
    no_free_bits: str = ""

    if TYPE_CHECKING:

        def __init__(self, data_dim: int, **options: Any) -> None:
            """Every model is made for data of a length; further arguments have names."""

    def __repr__(self) -> str:
        """The class with its sizes and what else is not as by default, and how many parameters it has."""
        made_by = reversed([*constructors(type(self))])
        usual = {p.name: p.default for _, parameters in made_by for p in parameters}
        said = [
            f"{name}={value!r}"
            for name, value in vars(self).get("config", {}).items()
            if name in ("latent_dim", "hidden") or value != usual.get(name)
        ]
        of = parameters[0] if (parameters := self.parameters()) else None
        where = "" if of is None else f", {of.dtype} on {backend.backend_of(of.data).name}"
        return f"{type(self).__name__}({', '.join(said)}): {sum(p.size for p in parameters):,} parameters{where}"

    def posterior(self, x: Any, context: Any = None) -> Distribution:
        """q(z|x), the recognition model: for x of shape ``(..., data_dim)``."""
        raise NotImplementedError

    def likelihood(self, z: Any, context: Any = None) -> Distribution:
        """p(x|z), the generative model: for z of shape ``(..., latent_dim)``."""
        raise NotImplementedError

    def prior(self, context: Any = None) -> Distribution:
        """p(z), over vectors of length latent_dim."""
        raise NotImplementedError

    def phases(self, batch: Batch, noise: Any) -> list[Phase]:
        """The phases of one training step on a minibatch.

        Args:
            batch: the data.
            noise: a generator to draw noise with, or the noise itself.
        """
        raise NotImplementedError

    def phases_at(self, batch: Batch, noise: Any, weight: Tensor) -> list[Phase]:
        """:meth:`phases` with the KL's part of the first loss times ``weight``, 0-d (KL warm-up)."""
        first, *others = self.phases(batch, noise)
        if "kl" not in first.terms:
            raise InputError(f"the terms of {type(self).__name__} are {', '.join(first.terms)}; expected kl among them")
        loss = first.loss + first.terms["kl"] * ((weight - 1.0) * self.kl_weight)
        return [first.with_loss(loss, objective=-loss), *others]

    def require_points(self, name: str, points: int) -> None:
        """Raise :class:`InputError` naming it if a number of data points is less than ``least_points``."""
        if integer_from_zero(name, points) < self.least_points:
            raise InputError(
                f"{name} is {points}; expected at least {self.least_points}, since the objective of a "
                f"{type(self).__name__} compares data points with each other"
            )

    def of_means(self, means: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The terms of the first phase that are no averages over data points, from averages that are.

        A distance from a mean, say, or an entropy of shares: the average of it over minibatches would
        be another number. In training ``means`` are those of a minibatch; an evaluation averages them
        over all data points first, so that the part is that of all data, however they were cut.

        Args:
            means: :attr:`Phase.means`, by name.
        """
        return {}

    def remember(self, **arguments: Any) -> None:
        """Add arguments of the constructor to ``config``, except those of a base that a variant decides on."""
        known = vars(self).get("config", {})
        own = taken(type(self))
        self.config = known | {name: value for name, value in arguments.items() if name in own}

    def scalar(self, value: float) -> Tensor:
        """A 0-d tensor of the model's dtype and backend: state that :meth:`advance` sets."""
        like = self.parameters()[0]
        return Tensor(like.xp.full((), value, dtype=like.dtype))

    def begin(self, data_points: int, labelled: int = 0) -> None:
        """Told by a training, before its first step, how many data points it has, for what depends on it.

        Kept in a tensor (:meth:`scalar`) it is part of the model's state, so that a checkpoint has it.

        Args:
            data_points: N of Eq. 8.
            labelled: how many of them have a label.
        """

    def advance(self, step: int, total_steps: int) -> None:
        """Set what changes with the step, in 0-d tensors, before the step is taken (or replayed).

        Args:
            step: minibatches seen before it.
            total_steps: of the whole run.
        """

    # Between the data's own units and model values.

    def prepared(self, x: Any) -> Tensor:
        """Data in their own units as model values, ``(..., data_dim)``; their values are looked at.

        Raises:
            InputError: another length, a number that is not finite, or one that the likelihood does not have.
        """
        if self.preparation is not None:
            self._vectors("x", x, "data_dim")
            x = _prepared(self.preparation, x)
        x = self._vectors("x", x, "data_dim")
        name = "x" if self.preparation is None else f"x, prepared by {self.preparation.kind!r},"
        self.domain.require(name, [x._data])  # (also while a step is recorded, which asks nothing of these numbers)
        return x

    def raw(self, x: Any) -> Tensor:
        """Model values in the data's own units, ``(..., data_dim)``, which are float64 where that is not the same."""
        x = self._vectors("x", x, "data_dim")
        if self.preparation is None:
            return x
        return Tensor(backend.asarray(self.preparation.undo(x.numpy()), backend=backend.backend_of(x._data).name))

    def features(self, x: Any) -> Tensor:
        """What an encoder is given of model values ``x``: they themselves, or log(1 + x) of counts."""
        x = self._vectors("x", x, "data_dim")
        return log1p(x) if self.domain is COUNTS else x

    # What users call; none of it is recorded for differentiation.

    def classify(self, x: Any) -> Tensor:
        """q(y|x) of each label, ``(M, context_dim)``, by a model that may be told that it is missing."""
        raise InputError(f"{type(self).__name__} does not guess labels")

    def completed(self, x: Any, context: Any) -> Any:
        """What the model is told beside ``x``, with the likeliest label where one is missing (``partly_told``)."""
        if not self.partly_told:
            return context
        given = self._told(context, missing=True)
        with no_grad():
            return given + (1.0 - given.sum(axis=-1, keepdims=True)) * one_hot_of_largest(self.classify(x))

    def encode(self, x: Any, context: Any = None) -> Tensor:
        """The posterior means, ``(M, latent_dim)``; of a Student's t, which may have none, the locations."""
        context = self.completed(x, context)
        with no_grad():
            return self.posterior(self.prepared(x), context).centre

    def decode(self, z: Any, context: Any = None) -> Tensor:
        """The means of p(x|z), ``(M, data_dim)``, in the data's own units; of a Student's t the locations."""
        with no_grad():
            return self.raw(self.likelihood(z, context).centre)

    def codes(self, x: Any) -> Tensor:
        """The numbers of the values of a discrete z, ``(M, num_codes)`` integers."""
        raise InputError(f"the z of {type(self).__name__} is not discrete; it has no codes")

    def reconstruct(self, x: Any, context: Any = None) -> Tensor:
        """The means of p(x|z) at the posterior means of z: what the code keeps of ``x``."""
        context = self.completed(x, context)
        return self.decode(self.encode(x, context), context)

    def sample(self, generator: Generator, n: int, context: Any = None) -> Tensor:
        """``n`` draws of z from the prior, decoded to the means of p(x|z), ``(n, data_dim)``.

        Args:
            generator: draws z.
            n: how many.
            context: ``(n, context_dim)``, for a model that is told one.
        """
        require_generator("generator", generator)
        positive_integer("n", n)
        return self.decode(self.sample_prior(generator, n, context), context)

    def sample_prior(self, generator: Generator, n: int, context: Any = None, lead: tuple[int, ...] = ()) -> Tensor:
        """``n`` draws of z from the prior, ``(*lead, n, latent_dim)``.

        Args:
            generator: draws them.
            n: how many.
            context: ``(n, context_dim)``, for a model that is told one: each draw is from its own p(z|context).
            lead: shape of further axes, of draws that are as many again.

        Raises:
            InputError: ``context`` has another number of rows than ``n``.
        """
        require_generator("generator", generator)
        positive_integer("n", n)
        lead = lengths("lead", lead)
        with no_grad():
            p = self.prior(context)
            if p.shape[:-1] not in ((), (n,)):
                raise InputError(f"context has {p.shape[0]} rows; expected {n}, one for each z")
            return p.sample(p.draw_noise(generator, lead if p.shape[:-1] else (*lead, n)))

    def _vectors(self, name: str, value: Any, length: str) -> Tensor:
        """``value`` as a tensor over vectors as long as the attribute called ``length``.

        Arrays take the dtype of the model: float64 data would turn all of it to float64.
        """
        vectors = as_tensor(value, self.first_parameter(), name)
        expected = getattr(self, length)
        if vectors.shape[-1:] != (expected,):
            raise InputError(f"{name} has shape {vectors.shape}, but this model was built for {length}={expected}")
        return vectors

    def _told(self, context: Any, *, missing: bool = False) -> Tensor:
        """The context as a tensor; of a model that is partly told, whose networks take no missing label, all labels.

        Raises:
            InputError: there is none, or of another length; or a label is missing and may not be ``missing``. On a GPU
                and in what is replayed nobody looks for that.
        """
        if context is None:
            raise InputError(f"context is None; this model expects one, (M, {self.context_dim})")
        y = self._vectors("context", context, "context_dim")
        if self.partly_told and not missing and y.xp is np and not tracing() and (y._data == 0).all(axis=-1).any():
            raise InputError(
                "context has a row of zeros, a missing label; expected one-hot rows (classify(x) has q(y|x))"
            )
        return y

    def _points(self, batch: Batch) -> Tensor:
        """The data points of a minibatch, ``(M, data_dim)``.

        Raises:
            InputError: they have another length, or are fewer than ``least_points``.
        """
        x = self._vectors("x", instance("batch", batch, Batch, "a Batch").x, "data_dim")
        if x.ndim != 2:
            raise InputError(f"x has shape {x.shape}; expected a minibatch, (M, {self.data_dim})")
        self.require_points("the number of data points in a minibatch", len(x))
        return x


def _prepared(preparation: Preparation, x: Any) -> Any:
    """``x`` in model values: of an array in float64 on the host, where it may be far from 0; of a tensor as it is."""
    if not isinstance(x, Tensor):
        return preparation.apply(backend.to_numpy(x) if backend.is_array(x) else x)
    return ((log1p(x) if preparation.takes_logarithms else x) - preparation.shift) / preparation.scale
