"""What to say of inputs that a primitive cannot take. Nothing here runs before something has gone wrong."""

from __future__ import annotations

from collections.abc import Sequence
from inspect import signature
from typing import Any

from .. import backend
from ..backend.memory import out_of_memory
from ..errors import InputError, OutOfMemoryError, shown

READ_IN_STEP = (
    "a value is read inside a step that compile() records; return it and read it outside, "
    "or choose with where() instead of if"
)
READ_IN_TRANSFORM = (
    "a tensor that is being differentiated is turned into a number or an array, through which no gradient flows; "
    "compute with the tensor itself: minivae.exp(x) for math.exp(x), stack() or concatenate() for writing into an "
    "array, where() for if. If it is meant as a constant: x.detach()"
)
NOT_RECORDED = (
    "backward of a tensor that is being differentiated gives constants, through which no gradient flows; pass "
    "create_graph=True, or, if constants are meant, call it under no_grad()"
)

ONE_NUMBER = (
    "minivae.any(x) or minivae.all(x) for the truth of all its elements, x[i] for one of them, x.numpy() for their "
    "values"
)
NO_GRAPH = (
    "output does not depend on anything that requires gradients, so that all would be 0: it was computed under "
    "no_grad(), detached, or from constants alone"
)


def misfit(primitive: Any, arrays: Sequence[Any], attributes: dict[str, Any], error: Exception) -> InputError:
    """The error for inputs that do not go together: each by its name, and what the backend said."""
    came = [f"{argument_name(primitive, i)} is {_described(x)}" for i, x in enumerate(arrays)]
    came += [f"{name} is {shown(value)}" for name, value in attributes.items()]
    said = " ".join(str(error).split())
    return InputError(
        f"{primitive.name}: {', '.join(came) or 'nothing was given'}; expected what goes together ({said})"
    )


def too_large(
    primitive: Any, arrays: Sequence[Any], attributes: dict[str, Any], error: MemoryError
) -> OutOfMemoryError:
    """The error for an operation whose result there is no memory for."""
    if arrays:
        what, where = ", ".join(_described(x) for x in arrays), backend.backend_of(*arrays)
    else:  # constants and noise say where they are made
        what = f"{attributes.get('shape')} {attributes.get('dtype')}"
        where = getattr(attributes.get("generator"), "backend", None) or backend.get_backend(attributes.get("backend"))
    return out_of_memory(f"{primitive.name} of {what}", where, error)


def argument_name(primitive: Any, i: int) -> str:
    """What messages call input ``i`` of a primitive: as its formula or function does, else by its number."""
    names = getattr(primitive.value, "arguments", None)
    if names is None:  # of a function, whose first argument is the backend
        _, *parameters = signature(primitive.value).parameters.values()
        names = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    return names[i] if i < len(names) else f"inputs[{i}]"


def no_rule(primitive: Any, i: int) -> str:
    """What to say of a gradient by input ``i`` of an operation that has no rule for it."""
    return (
        f"{primitive.name} has no derivative rule by {argument_name(primitive, i)}; expected one for each input (None "
        "where no gradient flows), or differentiable=False, where it is made"
    )


def complex_gradient(primitive: Any, i: int, product: Any) -> str:
    """What to say of a complex gradient of a real input, whose imaginary part would be dropped."""
    return (
        f"the gradient of {primitive.name} by {argument_name(primitive, i)} is {product.dtype}, and the input is real; "
        "expected real numbers all the way (take the real part where they become complex)"
    )


def refuse_rule_of_other_arguments(primitive: Any, inputs: Any, attributes: dict[str, Any], error: TypeError) -> None:
    """Refuse a derivative rule that cannot be called with what rules get; other errors are not ours to explain."""
    rules = getattr(primitive.vjps, "rule", primitive.vjps)
    for i, rule in enumerate(rules if isinstance(rules, tuple) else (rules,)):
        try:
            if rule is not None:
                signature(rule).bind(None, None, *inputs, **attributes)
        except TypeError as misfit:
            names = ", ".join(["g", "y", *(argument_name(primitive, n) for n in range(len(inputs))), *attributes])
            raise InputError(f"derivative rule {i} of {primitive.name}: {misfit}; expected ({names})") from error
        except ValueError:  # a function whose arguments Python does not know
            continue


def no_array(primitive: Any, value: Any) -> str:
    """What to say of an operation whose value is none."""
    return f"the value of {primitive.name} is {shown(value)}, of type {type(value).__name__}; expected an array"


def wrong_rule(primitive: Any, i: int, product: Any, shape: tuple[int, ...]) -> str:
    """What to say of a rule that does not return a gradient of its input."""
    if hasattr(product, "node"):
        came = f"has shape {product.shape}; expected {shape}, that of the input"
    else:
        came = f"is {shown(product)}; expected a Tensor of shape {shape}"
    return f"what the derivative rule of {primitive.name} by {argument_name(primitive, i)} returned {came}"


def overwritten(primitive: Any, which: int | str, x: Any) -> str:
    """What to say of values that a rule needs and that are gone: of an input, an attribute, or (-1) the result."""
    name = which if isinstance(which, str) else argument_name(primitive, which) if which >= 0 else "its result"
    return (
        f"the derivative of {primitive.name} needs {name}, {x.shape} {x.dtype}, as it was when it ran, and assign() "
        "(an optimizer's step?) has overwritten it since; call backward before that, or compute the output anew"
    )


def _described(x: Any) -> str:
    return f"{x.shape} {x.dtype} on {backend.backend_of(x).name}" if backend.is_array(x) else shown(x)
