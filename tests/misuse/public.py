"""The public callables of the package and their arguments, as the modules themselves list them."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from minivae.autodiff import Primitive
from minivae.autodiff.messages import argument_name
from minivae.models import MODELS

from .subject import Subject

MODULES = (
    *("minivae", "minivae.autodiff", "minivae.backend", "minivae.nn", "minivae.distributions", "minivae.optim"),
    *("minivae.bounds", "minivae.regularizers", "minivae.models", "minivae.inference", "minivae.inference.hmc"),
    *("minivae.training", "minivae.datasets", "minivae.plots", "minivae.estimator"),
    *("minivae.datasets.preparation", "minivae.datasets.domain", "minivae.models.likelihoods"),
)
# Arguments of which nothing can be wrong, and why. (Flags, which are taken for their truth, are not listed.)
FREE = {
    "prefix": "free text",
    "doc": "free text",
    "name": "free text: what messages call something",
    "context": "looked at by the models that are told one, which have rows for it; the others pass it over",
    "stored": "what Minibatches.inputs gave",
    "Minibatches.inputs: rows": "Minibatches.batch takes the same, and begins with it",
    "Dataset: split": "free text, for reports",
    "X": "scikit-learn looks at it, and refuses it in words of its own",
    "y": "not looked at",
    "Delta.log_prob: x": "refused whatever comes",
    "MADE.posterior: x": "refused whatever comes",
    "first_beyond: rows": "of a Dataset, which has checked them",
    "moments_of: read": "gives rows of a Dataset, which has checked them",
    "holds: parts": "of a Dataset, which has checked them",
    "first_beyond: limit": "a dtype's largest number",
    "require_finite: dataset": "the trainer's, which has checked it",
    "require_finite: dtype": "the minibatches'",
}
# What a family or a model writes, and its base calls with what the base has checked.
HOOKS = {
    *("log_density", "outside", "quantile", "log_quantile", "standard_quantile", "standard_log_density", "log_ratio"),
    *("spherical", "spherical_log_density", "whiten", "scalars", "update"),
    *("build", "make_decoder", "make_prior", "advance", "of_means", "scalar", "estimate", "noise"),
    *("phases_at", "on_step", "on_report", "on_end", "cumulative", "distribution", "kept_above"),
    *("parts", "spread", "discrepancy", "forward", "backward", "step_numbers", "flow_step", "conditional", "below"),
}
# Bases: their constructors and methods are tried on the members, Tensor's methods as functions.
BASES = (
    "Tensor",
    "Distribution",
    "Elementwise",
    "InverseCDF",
    "LocationScale",
    "Elliptical",
    "FlowStep",
    "TopDown",
    "Optimizer",
    "Model",
    "Likelihood",
)
# The engine's own, once or more in each operation; users have ``tensor``, ``grad`` and the functions.
ENGINE = ("Tensor", "Primitive", "primitive", "apply", "constant_like", "leaf", "is_array")
# What only the package calls, with what it has checked: users have the functions of ``backend`` beside it.
INSIDE = ("Backend",)


def names(module: Any) -> list[str]:
    """What a module offers: ``__all__``, or what it defines (a package: what it has) under a public name."""
    if hasattr(module, "__all__"):
        return list(module.__all__)
    own = (
        vars(module)
        if hasattr(module, "__path__")
        else {
            name: value for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__
        }
    )
    return [name for name, value in own.items() if not name.startswith("_") and not inspect.ismodule(value)]


def callables() -> Iterator[tuple[str, Callable]]:
    """Every public function, primitive, constructor and method of the package, once."""
    found: dict[int, tuple[str, Callable]] = {}
    for module in map(importlib.import_module, MODULES):
        for name in names(module):
            value = getattr(module, name)
            if callable(value) and getattr(value, "__module__", "").startswith("minivae"):
                found.setdefault(id(value), (name, value))
    for name, model in MODELS.items():
        found.setdefault(id(model), (name, model))
    for _, value in found.values():
        if inspect.isclass(value):
            yield from _of_class(value)
        else:
            yield label(value), value


def _of_class(kind: type) -> Iterator[tuple[str, Callable]]:
    if issubclass(kind, tuple | Exception):  # records, which hold what they are given
        return
    yield kind.__qualname__, kind
    for name, value in inspect.getmembers(kind, callable):
        theirs = (getattr(value, "__module__", "") or "").startswith("sklearn")
        if (not name.startswith("_") or name == "__call__") and inspect.isroutine(value) and not theirs:
            yield label(value), value


def label(of: Callable) -> str:
    return getattr(of, "__qualname__", None) or of.name


def not_covered(subjects: Sequence[Subject]) -> list[str]:
    """The arguments of public callables that no subject tries, and that are not :data:`FREE`."""
    tried: dict[str, set[str]] = {}
    for subject in subjects:
        tried.setdefault(label(subject.of), set()).update(subject.wrong)
    methods = {name.rpartition(".")[2] for name in tried}
    found = {}
    for name, of in callables():
        owner, _, method = name.rpartition(".")
        if method in HOOKS or owner in INSIDE or name in BASES + ENGINE or (owner in BASES and method in methods):
            continue
        missing = [p for p in arguments(of) if p not in tried.get(name, ()) and p not in FREE]
        found.update(dict.fromkeys(f"{name}: {p}" for p in missing))
    return [entry for entry in found if entry not in FREE]


def arguments(of: Callable) -> list[str]:
    """The names of what a callable takes, without flags, which are taken for their truth, and options handed on."""
    if isinstance(of, Primitive):
        return [argument_name(of, i) for i in range(len(of.vjps) or 1)]
    parameters = inspect.signature(of).parameters.values()
    return [
        p.name
        for p in parameters
        if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD) and "bool" not in str(p.annotation) and p.name != "self"
    ]
