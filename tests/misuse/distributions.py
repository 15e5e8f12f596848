"""The rows of ``distributions``: the parameters of each family, and what every distribution is asked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import minivae.distributions as d
from minivae import backend
from minivae.autodiff import Tensor, tensor

from .subject import COUNTS, GENERATORS, NO_TENSORS, NUMBERS_ABOVE_0, Says, misuse, ones, strict

BATCH, EVENT = 2, 3
INTEGERS = np.ones((BATCH, EVENT), int)
GENERATOR = backend.generator(0)


def zeros(*shape: int) -> Tensor:
    """Parameters that every family accepts: logarithms of 1."""
    return tensor(np.zeros(shape or (BATCH, EVENT), np.float32))


STEP = [lambda z, h: (z * 0.5, z * 0.1)]
PARTS = [d.Normal(zeros(BATCH, 2), zeros(BATCH, 2)), d.Normal(zeros(BATCH, 1), zeros(BATCH, 1))]
OF_TWO_BATCHES = [d.Normal(zeros(), zeros()), d.Normal(zeros(EVENT), zeros(EVENT))]
MIRROR = d.Householder(zeros() + 1.0)


class Levels(d.TopDown):
    """z_2 about z_1, whose first element it is given."""

    lengths = (1, EVENT - 1)

    def conditional(self, level, state):
        return d.Normal(state + zeros(EVENT - 1), 0.0)

    def below(self, level, state, z):
        return z


def offsets(level, state):
    return (zeros(BATCH, Levels.lengths[level]),) * 2


MEMBERS: dict[type, dict] = {  # by family, parameters by name
    d.Bernoulli: {"logits": zeros()},
    d.Normal: {"mean": zeros(), "log_var": zeros()},
    d.StandardNormal: {"size": EVENT, "like": zeros()},
    d.Categorical: {"logits": zeros(), "num_categories": 3},
    d.ExpConcrete: {"logits": zeros(), "temperature": 0.5},
    d.Categories: {"logits": zeros(BATCH, EVENT * 3), "num_categories": 3},
    d.Poisson: {"log_rate": zeros()},
    d.NegativeBinomial: {"log_mean": zeros(), "log_concentration": zeros()},
    d.ZeroInflatedNegativeBinomial: {"log_mean": zeros(), "log_concentration": zeros(), "logits": zeros()},
    d.DiscretizedLogistic: {"loc": zeros(), "log_scale": zeros()},
    d.Delta: {"mean": zeros()},
    d.Flow: {"base": d.Normal(zeros(), zeros()), "steps": STEP, "h": zeros(BATCH, 2)},
    d.Hierarchy: {"down": Levels(), "like": zeros(), "offsets": offsets, "batch": (BATCH,)},
    d.Residual: {"base": d.Normal(zeros(), zeros()), "shift": zeros(), "log_ratio": zeros()},
    d.Mixture: {"components": d.Normal(zeros(), zeros())},
    d.NormalizingFlow: {"base": d.Normal(zeros(), zeros()), "steps": [MIRROR]},
    d.HouseholderFlow: {"base": d.Normal(zeros(), zeros()), "steps": [MIRROR]},
    d.UniformCodes: {"codebook": ones(4, 3), "num_codes": 1},
    d.Entries: {"codebook": ones(3, 2), "which": d.Categorical(zeros(EVENT), 3)},
    d.Autoregressive: {"network": lambda x: x * 0.0, "size": EVENT, "num_categories": EVENT, "like": zeros()},
    d.Dirichlet: {"log_concentration": zeros()},
    d.MultivariateNormal: {"loc": zeros(), "factor": zeros(BATCH, EVENT, EVENT)},
    d.MultivariateStudentT: {"log_df": zeros(BATCH), "loc": zeros(), "factor": zeros(BATCH, EVENT, EVENT)},
    d.Product: {"parts": PARTS},
    d.VonMisesFisher: {"loc": zeros() + 1.0, "concentration": zeros(BATCH)},
    d.UniformOnSphere: {"size": EVENT, "like": zeros()},
    d.LogNormal: {"loc": zeros(), "log_var": zeros()},
    d.Beta: {"log_alpha": zeros(), "log_beta": zeros()},
    d.FisherF: {"log_df1": zeros(), "log_df2": zeros()},
    d.Gamma: {"log_concentration": zeros(), "log_rate": zeros()},
    d.Erlang: {"shape": 2, "log_rate": zeros()},
    d.SumOfExponentials: {"shape": 2, "log_rate": zeros()},
    d.Chi2: {"log_df": zeros()},
    d.Exponential: {"log_rate": zeros()},
    d.Rayleigh: {"log_scale": zeros()},
    d.Pareto: {"log_concentration": zeros(), "log_scale": zeros()},
    d.Weibull: {"log_concentration": zeros(), "log_scale": zeros()},
    d.Reciprocal: {"loc": zeros(), "log_scale": zeros()},
    d.Gompertz: {"log_concentration": zeros(), "log_rate": zeros()},
    d.Triangular: {"loc": zeros(), "log_scale": zeros(), "logit_mode": zeros()},
    d.LogCosh: {"loc": zeros(), "log_scale": zeros(), "log_sharpness": zeros()},
    d.StudentT: {"log_df": zeros(), "loc": zeros(), "log_scale": zeros()},
    **{kind: {"loc": zeros(), "log_scale": zeros()} for kind in (d.Laplace, d.Logistic, d.Uniform, d.Cauchy, d.Gumbel)},
}
OTHERS = {  # what is wrong for a parameter that is no tensor, or a tensor with a shape of its own
    "size": COUNTS,
    "temperature": NUMBERS_ABOVE_0,
    "like": (None, 1.0, np.ones(3)),
    "num_categories": (0, 2, -1, 1.5, "3"),
    "parts": (None, 3, [], Says([zeros()], "Tensor("), Says(OF_TWO_BATCHES, "[(), (2,)]")),
    "base": (None, d.Bernoulli(zeros()), zeros()),
    "steps": (None, 3, MIRROR),
    "down": (None, 3, d.Normal(zeros(), zeros())),
    "offsets": (3, "x"),
    "batch": ("x", (-1,), None),
    "h": (None, np.ones(2)),
    "components": (
        *(None, zeros(), d.Bernoulli(zeros())),
        *(Says(d.Normal(zeros(*shape), 0.0), str(shape)) for shape in ((3,), (2, 2, 2))),
    ),
    "codebook": (*NO_TENSORS, INTEGERS, 1.0, ones(3)),
    "num_codes": COUNTS,
    "which": (None, zeros(EVENT), Says(d.Categorical(zeros()), str((BATCH, EVENT))), Says(d.Delta(zeros(4)), "(4,)")),
    "network": (None, 3),
    "shape": COUNTS,
    "factor": (
        *NO_TENSORS,
        ones(EVENT),
        ones(BATCH, EVENT, 2),
        ones(2, EVENT),
        ones(BATCH, 2, 2),
        strict(BATCH, EVENT, EVENT),
    ),
}
# Families whose first parameter must be vectors; those of the others may be numbers.
VECTORS = (d.Bernoulli, d.Normal, d.Categorical, d.Categories, d.Delta, d.Dirichlet, d.MultivariateNormal)
VECTORS += (d.VonMisesFisher,)
SWAPPED = (d.StudentT, d.MultivariateStudentT)  # that look at their second parameter first
DRAWN = [family for family in MEMBERS if family not in (d.Delta, d.UniformCodes, d.Entries)]  # that have a density, too


def wrong_parameters(family: type, parameters: dict) -> dict[str, tuple]:
    """For each parameter values that are no tensors, and such as do not go with the parameters before."""
    wrong: dict[str, tuple] = {}
    before = [name for name in parameters if name not in OTHERS]
    for name, value in parameters.items():
        wrong[name] = OTHERS.get(name, NO_TENSORS)
        if name in before[1:] and family not in SWAPPED:
            wrong[name] = (*NO_TENSORS, ones(*value.shape[:-1], value.shape[-1] + 1), strict(*value.shape))
    first = next(iter(parameters))
    if family in VECTORS or before == [first]:  # beside another parameter integers take its dtype
        wrong[first] = (*wrong[first], INTEGERS)
    if family in VECTORS:
        wrong[first] = (*wrong[first], 1.0)
    return wrong


def wrong_noise(shape: tuple[int, ...]) -> tuple:
    """Noise with another last axis, on another device, or, of a batch, shared among its members."""
    shared = (ones(1, *shape[1:]),) if len(shape) > 1 else ()
    return (*NO_TENSORS, ones(*shape[:-1], shape[-1] + 1), strict(*shape), *shared)


def wrong_points(shape: tuple[int, ...]) -> tuple:
    """Points of another length, on another device, or of another batch."""
    batch = (ones(shape[0] + 1, *shape[1:]),) if len(shape) > 1 else ()
    return (*NO_TENSORS, ones(*shape[:-1], shape[-1] + 1), ones(*shape[:-1], 1), strict(*shape), *batch)


def method(family: type, name: str, good: dict, **wrong: Sequence) -> None:
    """Rows of a method of a member of the family."""
    parameters = MEMBERS[family]
    call = lambda **arguments: getattr(family(**parameters), name)(**arguments)  # noqa: E731
    misuse(getattr(family, name), good, call=call, label=f"{family.__name__}.{name}", **wrong)


for family, parameters in MEMBERS.items():
    member = family(**parameters)
    misuse(family, parameters, **wrong_parameters(family, parameters))
    method(
        family,
        "sample",
        {"source": GENERATOR, "n": 2},
        source=(None, np.random.default_rng(0), Says(ones(*member.noise_shape), "Tensor(")),
        n=[n for n in COUNTS if n is not None],
    )
    method(family, "transform", {"noise": member.draw_noise(GENERATOR)}, noise=wrong_noise(member.noise_shape))
    method(
        family,
        "draw_noise",
        {"generator": GENERATOR, "lead": (2,)},
        generator=GENERATORS,
        lead=("ab", 2.5, None, (2, -1), (1.5,)),
    )
    if family in DRAWN:
        method(family, "sample_with_log_prob", {"source": GENERATOR, "n": 2}, source=(None, 3), n=(0, "2", 1.5))
        method(family, "log_prob", {"x": member.sample(GENERATOR)}, x=wrong_points(member.shape))
method(
    d.Categorical,
    "relax",
    {"noise": ones(BATCH, EVENT) * 0.5, "temperature": 0.5},
    noise=wrong_noise((BATCH, EVENT)),
    temperature=("1", None, strict()),
)
method(
    d.Product,
    "relax",
    {"noise": ones(BATCH, EVENT) * 0.5, "temperature": 0.5},
    noise=wrong_noise((BATCH, EVENT)),
    temperature=("1", None, strict()),
)
for family in (d.VonMisesFisher, d.UniformOnSphere):
    method(family, "sample_with_log_ratio", {"source": GENERATOR, "n": 2}, source=(None, 3), n=(0, "2", 1.5))
method(d.Hierarchy, "descend", {"choose": lambda _, given: given.mean}, choose=(None, 3))
method(d.Hierarchy, "drawn", {"noise": ones(BATCH, EVENT)}, noise=wrong_noise((BATCH, EVENT)))
method(d.Flow, "elements", {"noise": ones(BATCH, EVENT)}, noise=wrong_noise((BATCH, EVENT)))
for flow in (d.Flow, d.NormalizingFlow):
    method(flow, "pushed", {"noise": ones(BATCH, EVENT)}, noise=wrong_noise((BATCH, EVENT)))
NOT_STEPS = [1], [STEP[0]], Says([d.Radial(zeros(), zeros(BATCH, 1), zeros(BATCH, 1))], "Householder", "steps[0]")
base = {"base": d.Normal(zeros(), zeros()), "steps": [MIRROR]}
misuse(d.HouseholderFlow, base, label="HouseholderFlow, one step wrong", steps=NOT_STEPS)
VECTOR = (*NO_TENSORS, 1.0, ones(BATCH, EVENT + 1), strict(BATCH, EVENT))
NUMBER = (*NO_TENSORS, 1.0, ones(BATCH, EVENT), strict(BATCH, 1))
FIRST = (*NO_TENSORS, 1.0, INTEGERS)
FLOW_STEPS = {
    d.Planar: ({"u": ones(BATCH, EVENT), "w": ones(BATCH, EVENT), "b": ones(BATCH, 1)}, FIRST, VECTOR, NUMBER),
    d.Radial: ({"centre": ones(BATCH, EVENT), "a": ones(BATCH, 1), "b": ones(BATCH, 1)}, FIRST, NUMBER, NUMBER),
    d.Householder: ({"v": ones(BATCH, EVENT)}, FIRST),
    d.Coupling: ({"network": lambda x, h: (h, h), "h": zeros(BATCH, 2)}, (None, 3), (None, np.ones(2))),
}
for kind, (good, *each) in FLOW_STEPS.items():
    misuse(kind, good, **dict(zip(good, each, strict=True)))
    for name, argument in (("__call__", "z"), ("inverse", "y")):
        vectors = (*NO_TENSORS, strict(BATCH, EVENT), *((ones(BATCH, EVENT + 1),) if kind is not d.Coupling else ()))
        call = getattr(kind(**good), name)
        misuse(
            getattr(kind, name), {argument: ones(BATCH, EVENT)}, call=lambda call=call, **z: call(*z.values()),
            label=f"{kind.__name__}.{name}", **{argument: vectors},
        )  # fmt: skip
NORMAL = d.Normal(zeros(), zeros())
for divergence in (d.kl, d.kl_by_dimension):
    no_pair = None, "normal", zeros(), Says(d.Cauchy(0.0, 0.0), "Cauchy")
    misuse(
        divergence,
        {"q": NORMAL, "p": NORMAL},
        q=(*no_pair, Says(d.Normal(zeros(2, 4), zeros(2, 4)), "(2, 4)")),
        p=(*no_pair, Says(d.Normal(zeros(2, 1), zeros(2, 1)), "(2, 1)")),
    )
misuse(d.register_kl, {}, call=lambda q=d.Normal, p=d.Normal: d.register_kl(q, p), q=(None, "Normal"), p=(None, NORMAL))
method(
    d.Product, "pieces", {"x": ones(BATCH, EVENT)}, x=(*NO_TENSORS, ones(BATCH, EVENT + 1), 1.0, strict(BATCH, EVENT))
)
NOT_THREE = (*NO_TENSORS, 1.0, ones(EVENT + 1), strict(EVENT))
method(d.Mixture, "components_drawn", {"number": ones(1)}, number=(*NO_TENSORS, 1.0, ones(2), strict(1)))
method(
    d.Mixture,
    "of_components",
    {"chosen": ones(BATCH), "epsilon": ones(EVENT)},
    chosen=(*NO_TENSORS, 1.0, ones(BATCH + 1), strict(BATCH)),
    epsilon=NOT_THREE,
)
