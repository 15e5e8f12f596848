"""Backpropagation: gradients by one sweep over the recorded graph, in reverse.

The sweep visits each node once, after everything that used it, so its cost is linear
in the size of the graph; it is a loop, not a recursion, so graphs may be deep.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import InputError, instance, sequence, shown
from .elementwise import add
from .modes import mode, set_mode
from .primitives import Primitive
from .shape import astype, sum_to
from .tape import Node, as_tensor, constant_like
from .tensor import Tensor

# Stands in the place of a node that an earlier sweep has freed.
_FREED = Node(Primitive("freed", lambda *_: None), (), {})


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
    with set_mode(taping=create_graph, differentiating=None):
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
            if id(y) in wanted or (y.node and any(id(x) in needed for x in y.node.inputs)):
                needed.add(id(y))
                order.append(y)
        elif id(y) not in visited:
            visited.add(id(y))
            if y.node is _FREED and id(y) not in wanted:
                raise InputError("the graph was freed by an earlier backward; pass retain_graph=True to that one")
            stack_.append((y, True))
            if y.node is not None:
                stack_.extend((x, False) for x in y.node.inputs if isinstance(x, Tensor) and x.requires_grad)
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
