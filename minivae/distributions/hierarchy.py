"""Vectors in a hierarchy, z_1 on top, each a Gaussian that depends on those above it; and a posterior beside it.

    p(z) = p(z_1) prod_l p(z_l | z_<l),    p(z_1) = N(0, I),    p(z_l | z_<l) = N(mu_p, sigma_p^2)
    q(z|x) = prod_l q(z_l | z_<l, x),    q(z_l | z_<l, x) = N(mu_p + dmu, sigma_p^2 dsigma^2)
    KL_l = 1/2 (dmu^2 / sigma_p^2 + dsigma^2 - log dsigma^2 - 1)    of each element, given the z above

Vahdat & Kautz 2020, "NVAE: A deep hierarchical variational autoencoder", arXiv 2007.03898, Eq. 1 and 2. One pass from
the top down makes both: p and q share what they know of the z above, as in Sønderby et al. 2016, "Ladder variational
autoencoders", arXiv 1602.02282, and q says what it would have otherwise. The networks are a :class:`TopDown`'s; a
vector of them is all levels end to end, the top first.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import reduce
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

from ..autodiff import Tensor, add, broadcast_to, concatenate, exp, square, standard_normal, sum
from ..autodiff.shape import shaped
from ..backend import Generator
from ..checks import function, instance, lengths
from .distribution import Distribution
from .paper import Normal, StandardNormal, excess


class TopDown(ABC):
    """Base of what goes down a hierarchy: p(z_l | z_<l), and a state that knows of all z above a level.

    Attributes:
        lengths: of z_1, ..., z_L.
    """

    lengths: Sequence[int]

    @abstractmethod
    def conditional(self, level: int, state: Any) -> Normal:
        """p(z_l | z_<l) of a level below the top, whose number, ``level``, is from 1 on."""

    @abstractmethod
    def below(self, level: int, state: Any, z: Tensor) -> Any:
        """The state below a level, of that above it (None above the top) and its z, ``(..., lengths[level])``."""


class Residual(Normal):
    """N(mu_p + dmu, sigma_p^2 dsigma^2): a Gaussian by what it has otherwise than another.

    Args:
        base: N(mu_p, sigma_p^2), ``(..., event)``.
        shift: dmu, ``(..., event)``.
        log_ratio: log dsigma^2.
    """

    def __init__(self, base: Normal, shift: Any, log_ratio: Any) -> None:
        self.base = instance("base", base, Normal, "a Normal")
        self.shift = shaped("shift", shift, base.like, ..., base.shape[-1])
        self.log_ratio = shaped("log_ratio", log_ratio, base.like, ..., base.shape[-1])
        super().__init__(base.mean + self.shift, base.log_var + self.log_ratio)

    def divergence(self) -> Tensor:
        """KL_l of each element, ``(..., event)``: from ``base``, without the digits that their difference loses."""
        return (square(self.shift) * exp(-self.base.log_var) + excess(self.log_ratio)) * 0.5


class Descent(NamedTuple):
    """What one pass from the top down has drawn.

    Attributes:
        levels: z_1, ..., z_L.
        given: the Gaussian that each is from, given those above.
        state: that below the last level.
    """

    levels: list[Tensor]
    given: list[Normal]
    state: Any

    @property
    def z(self) -> Tensor:
        """All levels end to end; the top is repeated where those below it have more draws."""
        batch = self.levels[-1].shape[:-1]
        return concatenate([broadcast_to(z, (*batch, z.shape[-1])) for z in self.levels], axis=-1)

    def kls(self) -> list[Tensor]:
        """KL_l of each level given its z above, ``(...)``; that of the top needs no draws.

        Raises:
            InputError: it is no pass of a q(z|x).
        """
        residuals = [instance(f"given[{i}]", q, Residual, "a Residual") for i, q in enumerate(self.given)]
        return [sum(q.divergence(), axis=-1) for q in residuals]


class Hierarchy(Distribution):
    """p(z), or q(z|x) of the same hierarchy.

    Args:
        down: p(z_l | z_<l).
        like: a tensor whose dtype and backend draws take.
        offsets: dmu and log dsigma^2 of a level, ``(..., lengths[level])`` each, from its number (0 for the top) and
            the state above it: the distribution is then q(z|x). None for p(z).
        batch: the shape of the data points that ``offsets`` sees.
    """

    def __init__(
        self,
        down: TopDown,
        like: Tensor,
        offsets: Callable[[int, Any], tuple[Tensor, Tensor]] | None = None,
        batch: Sequence[int] = (),
    ) -> None:
        self.down, self.like = instance("down", down, TopDown, "a TopDown"), instance("like", like, Tensor, "a Tensor")
        self.offsets = None if offsets is None else function("offsets", offsets)
        self._cuts = [*accumulate(down.lengths, initial=0)]
        self.shape = (*lengths("batch", batch), self._cuts[-1])

    def descend(self, choose: Callable[[int, Normal], Tensor]) -> Descent:
        """A pass from the top down.

        Args:
            choose: z_l, from the level's number (0 for the top) and the distribution of z_l given those above.
        """
        function("choose", choose)
        found = Descent([], [], None)
        for i, length in enumerate(self.down.lengths):
            given = self.down.conditional(i, found.state) if i else StandardNormal(length, self.like)
            if self.offsets is not None:
                given = Residual(given, *self.offsets(i, found.state))
            z = choose(i, given)
            found = Descent([*found.levels, z], [*found.given, given], self.down.below(i, found.state, z))
        return found

    def drawn(self, noise: Any) -> Descent:
        """The pass whose z the noise stands for."""
        pieces = self._cut(self._as_noise(noise))
        return self.descend(lambda i, given: given.transform(pieces[i]))

    @property
    def mean(self) -> Tensor:
        """Each z_l at its mean given the means above: a point in the middle, for the mean has no closed form."""
        return self.descend(lambda _, given: given.mean).z

    def draw_noise(self, generator: Generator, lead: tuple[int, ...] = ()) -> Tensor:
        """epsilon from N(0, I), of shape ``(*lead, *batch, event)``."""
        return standard_normal(generator, self._shape_of_draws(lead), self.like.dtype)

    def transform(self, noise: Any) -> Tensor:
        """z_l = mu_l + sigma_l epsilon_l, from the top down."""
        return self.drawn(noise).z

    def sample_with_log_prob(self, source: Any, n: int | None = None) -> tuple[Tensor, Tensor]:
        """A draw and its log_prob, by its noise."""
        pieces = self._cut(self._as_noise(self._noise(source, n)))
        log_probs: list[Tensor] = []

        def choose(i: int, given: Normal) -> Tensor:
            z, log_prob = given.sample_with_log_prob(pieces[i])
            log_probs.append(log_prob)
            return z

        return self.descend(choose).z, reduce(add, log_probs)

    def log_prob(self, x: Any) -> Tensor:
        """sum_l log p(z_l | z_<l)."""
        pieces = self._cut(self._as_data(x))
        found = self.descend(lambda i, _: pieces[i])
        return reduce(add, [given.log_prob(z) for given, z in zip(found.given, found.levels, strict=True)])

    def _cut(self, x: Tensor) -> list[Tensor]:
        """The vectors of the levels; a single number is that of all elements."""
        x = x if x.ndim else broadcast_to(x, self.shape)
        return [x[..., a:b] for a, b in pairwise(self._cuts)]
