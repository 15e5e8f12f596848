"""The cases of special functions: see :mod:`.cases`."""

from __future__ import annotations

import minivae.autodiff as ad
from minivae.distributions import special
from minivae.distributions.sphere_cumulants import log_mean_tilt
from minivae.regularizers import KERNELS

from . import special_twins as twins
from .case import PAIRS, POSITIVE, SHAPES, SIGNED, case

UNARY = {
    "erf": (ad.erf, lambda T, x: T.erf(x), SIGNED),
    "erfinv": (ad.erfinv, lambda T, x: T.erfinv(x), (-0.8, 0.8)),
    "ndtr": (ad.ndtr, lambda T, x: T.special.ndtr(x), SIGNED),
    "log_ndtr": (ad.log_ndtr, lambda T, x: T.special.log_ndtr(x), SIGNED),
    "mills": (ad.PRIMITIVES["mills"], twins.mills, SIGNED),
    "mills_excess": (ad.PRIMITIVES["mills_excess"], lambda T, x: x + twins.mills(T, x), SIGNED),
    "gammaln": (ad.gammaln, lambda T, x: T.lgamma(x), POSITIVE),
    "digamma": (ad.digamma, lambda T, x: T.digamma(x), POSITIVE),
    "scaled_exp1": (special.scaled_exp1, twins.scaled_exp1, POSITIVE),
}
for _name, (_f, _twin, _within) in UNARY.items():
    for _shape in SHAPES:
        case(_name, _f, _twin, _shape, within=_within)
for _n in (0, 1, 2, 3):
    _twin = lambda T, x, n=_n: T.polygamma(n, x)  # noqa: E731
    case("polygamma", lambda x, n=_n: ad.polygamma(n, x), _twin, (3,), within=POSITIVE, label=f"derivative {_n}")
case("polygamma", lambda x: ad.polygamma(1, x), lambda T, x: T.polygamma(1, x), (2, 0))
for _v in (0, 1, 2.5):
    _twin = lambda T, x, v=_v: twins.ive(T, v, x)  # noqa: E731
    case("ive", lambda x, v=_v: ad.ive(v, x), _twin, (2, 3), within=POSITIVE, label=f"order {_v}")
case("ive", lambda x: ad.ive(3, x), lambda T, x: twins.ive(T, 3, x), (3,), within=(-2.0, -0.4), label="below 0")
case("ive", lambda x: ad.ive(0, x), lambda T, x: T.special.i0e(x), (2, 0))
for _m in (2, 3, 10):
    _twin = lambda T, x, m=_m: twins.log_mean_tilt(T, m, x)  # noqa: E731
    case("log_mean_tilt", lambda x, m=_m: log_mean_tilt(x, m), _twin, (2, 3), within=POSITIVE, label=f"in R^{_m}")
case("log_mean_tilt", lambda x: log_mean_tilt(x, 4, 1), lambda T, x: twins.bessel_gap(T, 4, x), (3,), within=POSITIVE)
case("log_mean_tilt", lambda x: log_mean_tilt(x, 3), lambda T, x: twins.log_mean_tilt(T, 3, x), (2, 0))
for _a, _b in PAIRS:
    case("betaln", ad.betaln, twins.betaln, _a, _b, within=POSITIVE)
    case("log_gammaincinv", special.log_gammaincinv, twins.log_gammaincinv, _a, _b, within=(0.3, 0.9))
    case("gammainc", ad.gammainc, lambda T, a, x: twins.gammainc(T, a, T.log(x)), _a, _b, within=POSITIVE)
    case(
        "gammainc_slope",
        lambda a, t: ad.apply(ad.PRIMITIVES["gammainc_slope"], a, t, order=1),
        lambda T, a, t: twins.gammainc_slope(T, a, t, 1),
        _a,
        _b,
        within=(0.3, 1.2),
    )
case(
    "gammainc",
    lambda x: ad.gammainc(2.5, x),
    lambda T, x: twins.gammainc(T, 2.5 + 0 * x, T.log(x)),
    (3,),
    within=POSITIVE,
)
for _shapes in [((), (), ()), ((2,), (2,), (2,)), ((2, 1), (3,), ()), ((2, 0), (1,), ())]:
    case("betainc", ad.betainc, twins.betainc, *_shapes, within=(0.3, 0.8))
for _shapes in [((), (), ()), ((2, 0), (1,), ())]:
    for _i, _j in [(1, 0), (0, 1), (1, 1)]:
        case(
            "betainc_slope",
            lambda a, b, x, i=_i, j=_j: ad.apply(ad.PRIMITIVES["betainc_slope"], a, b, x, i=i, j=j),
            lambda T, a, b, x, i=_i, j=_j: twins.betainc_slope(T, a, b, x, i, j),
            *_shapes,
            within=(0.3, 0.8),
            label=f"order {_i}, {_j}",
        )
case(
    "betainc",
    lambda x: ad.betainc(2.0, 0.5, x),
    lambda T, x: twins.betainc(T, *T.tensor([2.0, 0.5], dtype=x.dtype), x),
    (3,),
    within=(0.3, 0.8),
)


def _pair_force(T, x, y):
    """Of exp(-|x - y|^2 / 4): by each x_i, summed over j."""
    apart = x[:, None] - y[None]
    return (T.exp(-(apart**2).sum(-1, keepdim=True) / 4) * apart * -0.5).sum(1)


for _name, _twin in (
    ("pair_sum", lambda T, x, y: T.exp(-((x[:, None] - y[None]) ** 2).sum(-1) / 4).sum()),
    ("pair_force", _pair_force),
):
    _f = lambda x, y, row=ad.PRIMITIVES[_name]: ad.apply(row, x, y, kernel=KERNELS["rbf"])  # noqa: E731
    case(_name, _f, _twin, (3, 2), (4, 2))
