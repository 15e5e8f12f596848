"""Backpropagation: gradients by one sweep over the recorded graph, in reverse.

The sweep visits each node once, after everything that used it, so its cost is linear
in the size of the graph; it is a loop, not a recursion, so graphs may be deep.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import backend
from ..errors import InputError, function, instance, sequence, shown
from .elementwise import add, identity
from .modes import mode, set_mode
from .primitives import Primitive
from .shape import astype, reshape, stack, sum_to
from .tensor import Tensor, as_tensor, constant_like, tensor

# Stands in the place of a node that an earlier sweep has freed.
_FREED = (Primitive("freed", lambda *_: None), (), {})


def backward(
    output: Tensor,
    inputs: Sequence[Tensor],
    cotangent: Any = None,
    *,
    retain_graph: bool = False,
    create_graph: bool = False,
) -> list[Tensor]:
    """The gradients of ``output`` with respect to each of ``inputs``.

    Args:
        output: what to differentiate.
        inputs: tensors that ``output`` was computed from; one that it does not depend
            on gets zeros.
        cotangent: the vector v of the vector-Jacobian product v^T J, of the output's
            shape; 1 by default, for an output of one element.
        retain_graph: keep the graph for another call; by default it is freed node by
            node, so that memory falls as the sweep proceeds.
        create_graph: record the sweep itself, for derivatives of the gradients
            (implies ``retain_graph``).

    Returns:
        one tensor for each input, of its shape and dtype.

    Raises:
        InputError: the output has several elements and there is no cotangent, the
            shapes differ, an input does not require gradients, or the graph was freed
            by an earlier call.
    """
    instance("output", output, Tensor, "a Tensor")
    inputs = sequence("inputs", inputs, "a list of Tensors")
    for i, x in enumerate(inputs):
        if not (isinstance(x, Tensor) and x.requires_grad):
            raise InputError(f"inputs[{i}] is {shown(x)}; expected a Tensor made with requires_grad=True")
    wanted = {id(x) for x in inputs}
    order, needed = _needed_order(output, wanted)
    pending = {id(output): _initial_cotangent(output, cotangent)}
    with set_mode(recording=create_graph, differentiating=None):
        while order:
            y = order.pop()
            g = pending[id(y)] if id(y) in wanted else pending.pop(id(y))
            if y.node is not None and y.node is not _FREED:
                mode.differentiating = y  # for anomaly mode's message
                _propagate(g, y, needed, pending)
                if not (retain_graph or create_graph):
                    y.node = _FREED
    return [pending[id(x)] if id(x) in needed else constant_like(x, 0.0, x.shape) for x in inputs]


def _needed_order(output: Tensor, wanted: set[int]) -> tuple[list[Tensor], set[int]]:
    """The tensors on a path from a wanted one to the output, each after all it was made from.

    Returned as a list and as a set of ids. Depth first with an explicit stack: a
    tensor is put back once, to be listed when everything below it has been.
    """
    order: list[Tensor] = []
    needed: set[int] = set()
    visited: set[int] = set()
    stack_: list[tuple[Tensor, bool]] = [(output, False)]
    while stack_:
        y, inputs_listed = stack_.pop()
        if inputs_listed:
            if id(y) in wanted or (y.node and any(id(x) in needed for x in y.node[1])):
                needed.add(id(y))
                order.append(y)
        elif id(y) not in visited:
            visited.add(id(y))
            if y.node is _FREED and id(y) not in wanted:
                raise InputError("the graph was freed by an earlier backward; pass retain_graph=True to that one")
            stack_.append((y, True))
            if y.node is not None:
                stack_.extend((x, False) for x in y.node[1] if isinstance(x, Tensor) and x.requires_grad)
    return order, needed


def _propagate(g: Tensor, y: Tensor, needed: set[int], pending: dict[int, Tensor]) -> None:
    """Add to the pending cotangents what ``g``, the finished one of ``y``, contributes."""
    primitive, inputs, attributes = y.node
    for i, x in enumerate(inputs):
        if id(x) not in needed:
            continue
        rule = primitive.vjps[i]
        contribution = rule(g, y, *inputs, **attributes) if rule else constant_like(x, 0.0, x.shape)
        # Undo broadcasting and mixed precision, in this one place for all rules.
        if primitive.broadcasts and contribution.shape != x.shape:
            contribution = sum_to(contribution, x.shape)
        if contribution.dtype != x.dtype:
            contribution = astype(contribution, x.dtype)
        # Never added in place: a rule may have returned g itself, or a view of it.
        pending[id(x)] = add(pending[id(x)], contribution) if id(x) in pending else contribution


def _initial_cotangent(output: Tensor, cotangent: Any) -> Tensor:
    if cotangent is None:
        if output.size != 1:
            raise InputError(f"output has shape {output.shape}; expected one element, or a cotangent of that shape")
        return constant_like(output, 1.0, output.shape)
    cotangent = as_tensor(cotangent, output, "cotangent")
    if cotangent.shape != output.shape:
        raise InputError(f"cotangent has shape {cotangent.shape}; expected that of the output, {output.shape}")
    return cotangent


# ---------------------------------------------- transformations of functions


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
        create = connected or (mode.recording and v.requires_grad)
        return tuple(backward(output, variables, v, retain_graph=True, create_graph=create))

    return _result(output, connected), pullback


def jacobian(f: Callable, argnums: int = 0) -> Callable:
    """A function that returns the matrix of first derivatives of ``f(*args)``.

    Its shape is that of the output followed by that of the argument. One backward
    sweep for each element of the output.
    """

    def matrix(*args: Any, **kwargs: Any) -> Tensor:
        (x,), output, connected = _call(f, (argnums,), args, kwargs)
        rows = backend.namespace(output.data).eye(output.size, dtype=output.dtype)
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
    with set_mode(recording=True):
        for n in numbers:
            x = args[n]
            # The variable stays connected to what it is made of, for an outer derivative.
            connected = isinstance(x, Tensor) and x.requires_grad
            args[n] = identity(x) if connected else _variable(n, x)
        output = f(*args, **kwargs)
    if not isinstance(output, Tensor):
        raise InputError(f"f returned {type(output).__name__}; expected a Tensor")
    variables = [args[n] for n in numbers]
    return variables, output, mode.recording and _depends_on_others(output, variables)


def _variable(n: int, x: Any) -> Tensor:
    """A leaf with the values of argument ``n``, to differentiate by."""
    return tensor(as_tensor(x, name=f"args[{n}]").data, requires_grad=True)


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
        stack_.extend(x.node[1])
    return False


def _result(output: Tensor, connected: bool) -> Tensor:
    return output if connected else Tensor(output.data)
