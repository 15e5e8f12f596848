"""What every distribution can do, and the divergence of two."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autodiff import Tensor, as_tensor, broadcast_to
from ..backend import Generator
from ..checks import instance, lengths, positive_integer
from ..errors import InputError, shown


class Distribution:
    """Base of the distributions over vectors: the last axis is the event, others are batches.

    A family writes ``draw_noise``, ``transform``, ``log_prob``, ``entropy`` and ``mean``.

    Attributes:
        mean: the expectation, ``(*batch, event)``.
        shape: that of a sample, ``(*batch, event)``.
        like: a parameter, whose dtype and backend noise and data take.
        discrete: whether samples come from a countable set: log_prob is then of probabilities, and no path
            leads from one sample to another.
        degenerate: whether all probability lies at one point, which has no density.
        on_sphere: whether it is over unit vectors: densities are with respect to the area of the sphere.
    """

    mean: Tensor
    shape: tuple[int, ...] = ()
    like: Tensor
    discrete: bool = False
    degenerate: bool = False
    on_sphere: bool = False

    @property
    def centre(self) -> Tensor:
        """The point that stands for it, ``(*batch, event)``: the mean; of a family that may have none, the location."""
        return self.mean

    @property
    def noise_shape(self) -> tuple[int, ...]:
        """The shape of the noise that a sample is made of; that of the sample, for most."""
        return self.shape

    def sample(self, source: Any, n: int | None = None) -> Tensor:
        """Draw samples by transforming noise (section 2.4), so that noise in is repeatable samples out.

        Args:
            source: the noise itself, as ``draw_noise`` returns it, or a
                :class:`~minivae.backend.Generator` to draw it with.
            n: with a generator, how many samples of each; they come as a new first
                axis. None draws one, without that axis.

        Returns:
            ``(n, *batch, event)`` or ``(*batch, event)``.

        Raises:
            InputError: ``n`` beside explicit noise, or not a positive integer; noise of another shape.
        """
        return self.transform(self._noise(source, n))

    def sample_with_log_prob(self, source: Any, n: int | None = None) -> tuple[Tensor, Tensor]:
        """What :meth:`sample` gives, and its log_prob, which some families know at less cost from the noise."""
        x = self.sample(source, n)
        return x, self.log_prob(x)

    def _noise(self, source: Any, n: int | None) -> Any:
        if isinstance(source, Generator):
            return self.draw_noise(source, () if n is None else (positive_integer("n", n),))
        if n is not None:
            raise InputError(
                f"source is {shown(source)} beside n={shown(n)}; expected a Generator, "
                "or noise alone, whose own shape says how many"
            )
        return source

    def draw_noise(self, generator: Generator, lead: tuple[int, ...] = ()) -> Tensor:
        """Noise of shape ``(*lead, *batch, event)`` from the base distribution."""
        raise NotImplementedError

    def _shape_of_draws(self, lead: tuple[int, ...]) -> tuple[int, ...]:
        return (*lengths("lead", lead), *self.noise_shape)

    def _as_noise(self, noise: Any) -> Tensor:
        """Noise as a tensor; of its last axes all must be there, or elements would share what was drawn."""
        noise, shape = as_tensor(noise, self.like, "noise"), self.noise_shape
        if noise.shape != shape and noise.ndim and noise.shape[noise.ndim - len(shape) :] != shape:
            raise InputError(f"noise has shape {noise.shape}; expected {shape} as its last axes")
        return noise

    def _as_data(self, x: Any) -> Tensor:
        """A point as a tensor: of an event as long as the distribution's, or a number for all elements."""
        x, shape = as_tensor(x, self.like, "x"), self.shape
        if x.shape == shape:
            return x
        if not x.ndim:
            return broadcast_to(x, shape[-1:])
        pairs = zip(x.shape[-2::-1], shape[-2::-1], strict=False)
        if shape and (x.shape[-1] != shape[-1] or any(n != m and n != 1 and m != 1 for n, m in pairs)):
            raise InputError(f"x has shape {x.shape}; expected (..., {', '.join(map(str, shape))})")
        return x

    def transform(self, noise: Any) -> Tensor:
        """The sample that the noise stands for: the function g of section 2.4."""
        raise NotImplementedError

    def log_prob(self, x: Any) -> Tensor:
        """log p(x) in nats, summed over the event axis: shape ``(..., *batch)``.

        Raises:
            InputError: the family has none.
        """
        raise self._lacking("log_prob")

    def entropy(self) -> Tensor:
        """The entropy in nats, summed over the event axis: shape ``batch``.

        Raises:
            InputError: the family has none, or none in closed form.
        """
        raise self._lacking("entropy")

    def _lacking(self, what: str) -> InputError:
        has_density = what == "entropy" and type(self).log_prob is not Distribution.log_prob
        having = "log_prob of its samples" if has_density else "its samples"
        return InputError(
            f"the distribution is a {type(self).__name__}, which has no {what}; expected no more of it than {having}"
        )


def parameter(name: str, value: Any, like: Tensor | None = None) -> Tensor:
    """A parameter as a tensor over vectors, ``(..., event)``.

    Raises:
        InputError: it is a single number, or holds integers.
    """
    x = floating(name, as_tensor(value, like, name))
    if not x.ndim:
        raise InputError(f"{name} is {shown(value)}, a single number; expected vectors, (..., event)")
    return x


def floating(name: str, x: Tensor) -> Tensor:
    """Return ``x``, or raise :class:`InputError` if it holds integers: with them results would be float64."""
    if x.dtype.kind not in "fc":
        raise InputError(f"{name} has dtype {x.dtype}; expected floating point")
    return x


# ------------------------------------------------------------ divergences, by pair of families

KL_PAIRS: dict[tuple[type, type], Callable] = {}
BY_DIMENSION: dict[tuple[type, type], Callable] = {}  # of families of independent dimensions: what KL_PAIRS sums


def register_kl(q: type, p: type, *, by_dimension: bool = False) -> Callable:
    """A decorator: the function below computes KL(q || p) for these two families, or each dimension's.

    Raises:
        InputError: one of them is no family of distributions.
    """
    for name, family in (("q", q), ("p", p)):
        if not (isinstance(family, type) and issubclass(family, Distribution)):
            raise InputError(f"{name} is {shown(family)}; expected a class of distributions")

    def register(function: Callable) -> Callable:
        (BY_DIMENSION if by_dimension else KL_PAIRS)[q, p] = function
        return function

    return register


def kl(q: Distribution, p: Distribution) -> Tensor:
    """KL(q || p) = E_q[log q - log p] in nats, summed over the event axis.

    The rule of the nearest pair of families among the bases of ``q`` and ``p`` is used.

    Raises:
        InputError: no closed form is known for the pair; estimate it with samples. One of them is a point.
            Or the events are not of one length.
    """
    if rule := _rule(KL_PAIRS, q, p):
        return rule(q, p)
    raise InputError(
        f"no closed-form KL is known for {_pair(q, p)}; expected a pair of KL_PAIRS, or estimator A, without one"
    )


def kl_by_dimension(q: Distribution, p: Distribution) -> Tensor:
    """The parts of :func:`kl` that independent dimensions have, ``(..., d)``; a categorical's variable is one.

    Raises:
        InputError: no such parts are known for the pair. Or the events are not of one length.
    """
    if rule := _rule(BY_DIMENSION, q, p):
        return rule(q, p)
    raise InputError(f"no KL by dimension is known for {_pair(q, p)}; expected a pair of BY_DIMENSION")


def _rule(rules: dict[tuple[type, type], Callable], q: Distribution, p: Distribution) -> Callable | None:
    """That of the nearest pair of families among the bases."""
    for name, value in (("q", q), ("p", p)):
        instance(name, value, Distribution, "a Distribution")
    if q.shape[-1:] != p.shape[-1:] and q.shape and p.shape:
        raise InputError(f"q is over {q.shape} and p over {p.shape}; expected events of one length")
    pairs = ((q_family, p_family) for q_family in type(q).__mro__ for p_family in type(p).__mro__)
    if rule := next((rules[pair] for pair in pairs if pair in rules), None):
        return rule
    if q.degenerate or p.degenerate:
        raise InputError(f"there is no KL for {_pair(q, p)}: a point has no density; expected two densities")
    return None


def _pair(q: Distribution, p: Distribution) -> str:
    return f"q a {type(q).__name__}, p a {type(p).__name__}"
