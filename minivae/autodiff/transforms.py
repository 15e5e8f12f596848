"""Transformations of functions: their gradients, pullbacks and Jacobians, as functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..errors import InputError, function, sequence
from .backward import backward
from .elementwise import identity
from .modes import mode, set_mode
from .shape import reshape, stack
from .tape import as_tensor, constant_like, tensor
from .tensor import Tensor


def value_and_grad(f: Callable, argnums: int | Sequence[int] = 0) -> Callable:
    """A function that returns ``f(*args)``, a scalar, and its gradient.

    Args:
        f: takes tensors and returns a one-element tensor.
        argnums: which positional argument to differentiate by; a sequence gives a
            tuple of gradients.

    Like any other operation it is recorded where ``f`` depends on a tensor that requires
    gradients: so ``grad`` of ``grad`` gives derivatives of any order, and a gradient
    inside a loss is differentiated by the parameters. Else the results are constants.
    """

    def differentiated(*args: Any, **kwargs: Any) -> tuple[Tensor, Any]:
        variables, output, connected = _call(f, argnums, args, kwargs)
        gradients = backward(output, variables, create_graph=connected)
        return _result(output, connected), gradients[0] if isinstance(argnums, int) else tuple(gradients)

    return differentiated


def grad(f: Callable, argnums: int | Sequence[int] = 0) -> Callable:
    """A function that returns the gradient of ``f(*args)``. See :func:`value_and_grad`."""

    def gradient(*args: Any, **kwargs: Any) -> Any:
        return value_and_grad(f, argnums)(*args, **kwargs)[1]

    return gradient


def vjp(f: Callable, *args: Any) -> tuple[Tensor, Callable]:
    """``f(*args)`` and its pullback: the function v -> (v^T df/darg for each argument)."""
    variables, output, connected = _call(f, range(len(args)), args, {})

    def pullback(cotangent: Any) -> tuple[Tensor, ...]:
        v = as_tensor(cotangent, output, "cotangent")
        create = connected or (mode.taping and v.requires_grad)
        return tuple(backward(output, variables, v, retain_graph=True, create_graph=create))

    return _result(output, connected), pullback


def jacobian(f: Callable, argnums: int = 0) -> Callable:
    """A function that returns the matrix of first derivatives of ``f(*args)``.

    Its shape is that of the output followed by that of the argument. One backward
    sweep for each element of the output.
    """

    def matrix(*args: Any, **kwargs: Any) -> Tensor:
        (x,), output, connected = _call(f, (argnums,), args, kwargs)
        rows = output.xp.eye(output.size, dtype=output.dtype)
        gradients = [
            backward(output, [x], Tensor(rows[i].reshape(output.shape)), retain_graph=True, create_graph=connected)[0]
            for i in range(output.size)
        ]
        if not gradients:
            return constant_like(x, 0.0, (*output.shape, *x.shape))
        return reshape(stack(gradients), (*output.shape, *x.shape))

    return matrix


def _call(f: Callable, argnums: int | Sequence[int], args: Sequence, kwargs: dict) -> tuple:
    """Call ``f`` with fresh variables at ``argnums``; return those, the output, and whether to record its gradient."""
    function("f", f)
    numbers = (argnums,) if isinstance(argnums, int) else sequence("argnums", argnums, "an integer, or several")
    for n in numbers:
        if not isinstance(n, int) or not 0 <= n < len(args):
            raise InputError(f"argnums is {argnums!r}; expected positions among {len(args)} arguments")
    args = list(args)
    with set_mode(taping=True):
        for n in numbers:
            x = args[n]
            # The variable stays connected to what it is made of, for an outer derivative.
            connected = isinstance(x, Tensor) and x.requires_grad
            args[n] = identity(x) if connected else _variable(n, x)
        output = f(*args, **kwargs)
    if not isinstance(output, Tensor):
        raise InputError(f"f returned {type(output).__name__}; expected a Tensor")
    variables = [args[n] for n in numbers]
    return variables, output, mode.taping and _depends_on_others(output, variables)


def _variable(n: int, x: Any) -> Tensor:
    """A leaf with the values of argument ``n``, to differentiate by."""
    return tensor(as_tensor(x, name=f"args[{n}]")._data, requires_grad=True)


def _depends_on_others(output: Tensor, variables: Sequence[Tensor]) -> bool:
    """Whether ``output`` was made from a leaf that requires gradients and is none of ``variables``."""
    visited = {id(x) for x in variables if x.node is None}
    stack_ = [output]
    while stack_:
        x = stack_.pop()
        if not isinstance(x, Tensor) or not x.requires_grad or id(x) in visited:
            continue
        if x.node is None:
            return True
        visited.add(id(x))
        stack_.extend(x.node.inputs)
    return False


def _result(output: Tensor, connected: bool) -> Tensor:
    return output if connected else Tensor(output._data)
