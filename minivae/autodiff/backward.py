"""Backpropagation: gradients by one sweep over the recorded graph, in reverse.

The sweep visits each node once, after everything that used it, so its cost is linear
in the size of the graph; it is a loop, not a recursion, so graphs may be deep.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..checks import instance, sequence
from ..errors import GradientError, InputError, shown
from .effects import unless_overwritten
from .elementwise import add
from .messages import (
    NO_GRAPH,
    NOT_RECORDED,
    complex_gradient,
    no_rule,
    refuse_rule_of_other_arguments,
    wrong_rule,
)
from .modes import mode, set_mode
from .primitives import Primitive, RuleForEach
from .shape import astype, sum_to
from .tape import Node, as_tensor, assignments, constant_like
from .tensor import Tensor, is_traced

# The gradient of a part of a tensor, the part, and how it was taken.
Part = tuple[Tensor, Tensor, Node]
# Stands in the place of a node that an earlier sweep has freed.
_FREED = Node(
    Primitive("freed", lambda *_: None),
    (),
    {"refusal": "the graph was freed by an earlier backward; pass retain_graph=True to that one"},
)


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
            shapes differ, an input does not require gradients, the output is a constant,
            or the graph was freed by an earlier call; an operation on the way has no derivative rule, or a
            wrong one; a rule needs values that were overwritten since by ``assign``.
    """
    instance("output", output, Tensor, "a Tensor")
    inputs = sequence("inputs", inputs, "a list of Tensors")
    if not output.requires_grad:
        raise InputError(NO_GRAPH)
    return sweep(output, inputs, cotangent, retain_graph=retain_graph, create_graph=create_graph)


def sweep(
    output: Tensor,
    inputs: Sequence[Tensor],
    cotangent: Any = None,
    *,
    retain_graph: bool = False,
    create_graph: bool = False,
) -> list[Tensor]:
    """What :func:`backward` gives; of an output that is a constant it gives zeros."""
    for i, x in enumerate(inputs):
        if not (isinstance(x, Tensor) and x.requires_grad):
            raise InputError(f"inputs[{i}] is {shown(x)}; expected a Tensor made with requires_grad=True")
    if not create_graph and is_traced(output):
        raise InputError(NOT_RECORDED)
    wanted = {id(x) for x in inputs}
    order, needed = _needed_order(output, wanted)
    gradients = {id(output): _initial_cotangent(output, cotangent)}
    parts: dict[int, list[Part]] = {}
    variables = (*mode.variables, *inputs) if create_graph else mode.variables  # a rule may not read their values
    with set_mode(taping=create_graph, differentiating=None, variables=variables):
        while order:
            y = order.pop()
            if id(y) in parts:
                _put_together(y, parts.pop(id(y)), gradients)
            g = gradients[id(y)] if id(y) in wanted else gradients.pop(id(y))
            if y.node is not None and y.node.inputs:
                mode.differentiating = y  # for anomaly mode's message
                try:
                    _propagate(g, y, needed, gradients, parts)
                except TypeError as error:
                    refuse_rule_of_other_arguments(y.node.primitive, y.node.inputs, y.node.attributes, error)
                    raise
                if not (retain_graph or create_graph):
                    y.node = _FREED
    return [gradients[id(x)] if id(x) in needed else constant_like(x, 0.0, x.shape) for x in inputs]


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
        node = y.node
        if inputs_listed:
            if id(y) in wanted or (node and not needed.isdisjoint(map(id, node.inputs))):
                needed.add(id(y))
                order.append(y)
        elif id(y) not in visited:
            visited.add(id(y))
            stack_.append((y, True))
            if node is not None:
                if not node.inputs and id(y) not in wanted:
                    raise InputError(node.attributes["refusal"])
                stack_ += [(x, False) for x in node.inputs if isinstance(x, Tensor) and x.requires_grad]
    return order, needed


def _propagate(
    g: Tensor, y: Tensor, needed: set[int], gradients: dict[int, Tensor], parts: dict[int, list[Part]]
) -> None:
    """Add what ``g``, the complete gradient of ``y``, contributes to those of the tensors that ``y`` was made from."""
    primitive, inputs, attributes, count = y.node
    operands = (y, *inputs) if count == assignments.count else unless_overwritten(y, *y.node)
    if primitive.vjp_of_parts and id(inputs[0]) in needed:
        # Parts wait for each other: put together one by one, they would each be as large as the whole.
        parts.setdefault(id(inputs[0]), []).append((g, y, y.node))
        return
    rules = primitive.vjps
    share = rules.rule(g, *operands, **attributes) if isinstance(rules, RuleForEach) else None
    for i, x in enumerate(inputs):
        if id(x) not in needed:
            continue
        if share is not None:
            product = share(i)
        else:
            try:
                rule = rules[i]
            except IndexError:
                raise InputError(no_rule(primitive, i)) from None
            product = rule(g, *operands, **attributes) if rule else constant_like(x, 0.0, x.shape)
        like = x._data
        if not isinstance(product, Tensor) or product._data.shape != like.shape or product._data.dtype != like.dtype:
            product = _fitted(product, x, primitive, i)
        # Never added in place: a rule may have returned g itself, or a view of it.
        gradients[id(x)] = add(gradients[id(x)], product) if id(x) in gradients else product


def _put_together(x: Tensor, parts: list[Part], gradients: dict[int, Tensor]) -> None:
    """Add the gradients of parts of ``x``, which have all come, to that of ``x``."""
    mode.differentiating = None
    for primitive in dict.fromkeys(node.primitive for _, _, node in parts):
        cotangents, results, nodes = zip(*(part for part in parts if part[2].primitive is primitive), strict=True)
        attributes = [node.attributes for node in nodes]
        if len(nodes) == 1:
            product = primitive.vjps[0](cotangents[0], results[0], x, **attributes[0])
        else:
            product = primitive.vjp_of_parts(x, cotangents, attributes)
        product = _fitted(product, x, primitive, 0)
        gradients[id(x)] = add(gradients[id(x)], product) if id(x) in gradients else product


def _fitted(product: Any, x: Tensor, primitive: Primitive, i: int) -> Tensor:
    """What a rule made as a gradient of ``x``: broadcasting and mixed precision are undone here, for all rules."""
    if isinstance(product, Tensor) and primitive.broadcasts and _broadcasts_to(x.shape, product.shape):
        product = sum_to(product, x.shape)
    if not isinstance(product, Tensor) or product.shape != x.shape:
        raise GradientError(wrong_rule(primitive, i, product, x.shape))
    if product.dtype.kind == "c" and x.dtype.kind != "c":
        raise GradientError(complex_gradient(primitive, i, product))
    return product if product.dtype == x.dtype else astype(product, x.dtype)


def _broadcasts_to(shape: Sequence[int], larger: Sequence[int]) -> bool:
    ends = zip(shape[::-1], larger[::-1], strict=False)
    return len(shape) <= len(larger) and all(n in (1, m) for n, m in ends)


def _initial_cotangent(output: Tensor, cotangent: Any) -> Tensor:
    if cotangent is None:
        if output.size != 1:
            raise InputError(f"output has shape {output.shape}; expected one element, or a cotangent of that shape")
        return constant_like(output, 1.0, output.shape)
    cotangent = as_tensor(cotangent, output, "cotangent")
    if cotangent.shape != output.shape:
        raise InputError(f"cotangent has shape {cotangent.shape}; expected that of the output, {output.shape}")
    return cotangent
