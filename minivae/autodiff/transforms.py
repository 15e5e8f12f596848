"""Transformations of functions: their gradients, products with their Jacobians, and the Jacobians themselves.

An argument that is differentiated by is a tensor (or an array, or a number), or a nest of
them: tuples, lists, dicts and named tuples, in which gradients come back as well. With
``has_aux`` a function returns a pair: what is differentiated, and anything else that it
found, which comes back as it is.

Like any other operation the results are recorded where the function depends on a tensor
that requires gradients: so ``grad`` of ``grad`` gives derivatives of any order, and a gradient
inside a loss is differentiated by the parameters. Else they are constants.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any

from ..checks import function, sequence
from ..errors import InputError, shown
from .backward import sweep
from .elementwise import add, identity, multiply
from .joining import stack
from .modes import mode, set_mode
from .nests import filled, mapped
from .shape import reshape, sum
from .tape import as_tensor, constant_like, leaf
from .tensor import Tensor, ancestry

Argnums = int | Sequence[int]


def value_and_grad(f: Callable, argnums: Argnums = 0, has_aux: bool = False) -> Callable:
    """A function that returns ``f(*args)``, a scalar, and its gradient: ``((value, aux), gradient)`` with ``has_aux``.

    Args:
        f: takes tensors and returns a one-element tensor.
        argnums: which positional argument to differentiate by; a sequence gives a
            tuple of gradients.
        has_aux: ``f`` returns ``(value, aux)``.
    """

    def differentiated(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        call = _Call(f, argnums, args, kwargs, has_aux)
        gradients = sweep(_one_element(call.output), call.variables, create_graph=call.connected)
        value = (call.value, call.aux) if has_aux else call.value
        return value, call.arranged(gradients)

    return differentiated


def grad(f: Callable, argnums: Argnums = 0, has_aux: bool = False) -> Callable:
    """A function that returns the gradient of ``f(*args)``, or ``(gradient, aux)``. See :func:`value_and_grad`."""

    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, gradients = value_and_grad(f, argnums, has_aux)(*args, **kwargs)
        return (gradients, value[1]) if has_aux else gradients

    return gradient


def vjp(f: Callable, *args: Any, has_aux: bool = False) -> tuple:
    """``f(*args)`` and its pullback, the function v -> (v^T df/darg for each argument); with ``has_aux`` ``aux``."""
    call = _Call(f, range(len(args)), args, {}, has_aux)

    def pullback(cotangent: Any) -> tuple:
        v = as_tensor(cotangent, call.output, "cotangent")
        create = call.connected or (mode.taping and v.requires_grad)
        return call.arranged(sweep(call.output, call.variables, v, retain_graph=True, create_graph=create))

    return (call.value, pullback, call.aux) if has_aux else (call.value, pullback)


def jvp(f: Callable, primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False) -> tuple:
    """``f(*primals)`` and its derivative in a direction: the sum of df/darg times the argument's tangent.

    The pullback is linear in its cotangent u, and its own pullback is the product wanted:
    so two sweeps backward make one forward.

    Args:
        f: takes tensors and returns one, of any shape.
        primals: the arguments, all of which are differentiated by.
        tangents: the directions, of the arguments' shapes, arranged as they are.
        has_aux: ``f`` returns ``(value, aux)``, and ``aux`` comes back as third.
    """
    primals = tuple(sequence("primals", primals, "a list of arguments"))
    tangents = tuple(sequence("tangents", tangents, "a list of directions"))
    if len(tangents) != len(primals):
        raise InputError(f"tangents has length {len(tangents)}; expected that of primals, {len(primals)}")
    call = _Call(f, range(len(primals)), primals, {}, has_aux, "primals")
    directions: list[Tensor] = []
    for n, (nest, tangent) in enumerate(zip(call.nests, tangents, strict=True)):
        mapped(lambda *leaf: directions.append(_direction(*leaf)), nest, tangent, name=f"tangents[{n}]")
    u = leaf(constant_like(call.output, 0.0, call.output.shape))
    pulled = sweep(call.output, call.variables, u, create_graph=True)
    with set_mode(taping=True):
        total: Any = 0.0
        for g, direction in zip(pulled, directions, strict=True):
            total = add(sum(multiply(g, direction)), total)
    create = call.connected or (mode.taping and any(t.requires_grad for t in directions))
    (product,) = sweep(total, [u], create_graph=create) if pulled else [constant_like(u, 0.0, u.shape)]
    return (call.value, product, call.aux) if has_aux else (call.value, product)


def jacobian(f: Callable, argnums: Argnums = 0, has_aux: bool = False) -> Callable:
    """A function that returns the matrix of first derivatives of ``f(*args)``.

    Its shape is that of the output followed by that of the argument; of a nest, or several
    arguments, there is one for each tensor. One backward sweep for each element of the output.
    """

    def matrix(*args: Any, **kwargs: Any) -> Any:
        call = _Call(f, argnums, args, kwargs, has_aux)
        matrices = call.arranged(_matrices(call.output, call))
        return (matrices, call.aux) if has_aux else matrices

    return matrix


def hessian(f: Callable, argnums: Argnums = 0, has_aux: bool = False) -> Callable:
    """A function that returns the matrix of second derivatives of ``f(*args)``, a scalar.

    Its shape is twice that of the argument, one after the other; of a nest, or several
    arguments, there is one for each pair of tensors. One backward sweep for each element.
    """

    def matrix(*args: Any, **kwargs: Any) -> Any:
        call = _Call(f, argnums, args, kwargs, has_aux)
        gradients = sweep(_one_element(call.output), call.variables, create_graph=True)
        matrices = call.arranged([call.arranged(_matrices(g, call)) for g in gradients])
        return (matrices, call.aux) if has_aux else matrices

    return matrix


class _Call:
    """A call of ``f`` with fresh variables at ``argnums``.

    Attributes:
        variables: what is differentiated by, in a row.
        nests: the same, in a tuple, each arranged as its argument.
        output: what ``f`` returned: its value alone.
        aux: what else it returned.
        connected: whether the output's gradient is to be recorded.
    """

    def __init__(
        self, f: Callable, argnums: Argnums, args: Sequence, kwargs: dict, has_aux: bool, name: str = "args"
    ) -> None:
        function("f", f)
        self._single = isinstance(argnums, Integral)
        given_numbers: Any = [argnums] if self._single else sequence("argnums", argnums, "an integer, or several")
        whole = all(isinstance(n, Integral) and not isinstance(n, bool) for n in given_numbers)
        if not whole or not all(-len(args) <= n < len(args) for n in given_numbers):
            raise InputError(f"argnums is {shown(argnums)}; expected positions among {len(args)} arguments")
        numbers = [int(n) % len(args) for n in given_numbers]
        if len(set(numbers)) < len(numbers):
            raise InputError(f"argnums is {shown(argnums)}; expected each argument once")
        given = list(args)
        self.variables: list[Tensor] = []
        with set_mode(taping=True):
            for n in numbers:
                given[n] = mapped(self._variable, args[n], name=f"{name}[{n}]")
            self.nests = tuple(given[n] for n in numbers)
            with set_mode(variables=(*mode.variables, *self.variables)):
                returned = f(*given, **kwargs)
        self.output, aux = _value_and_aux(returned, has_aux)
        self.connected = self._is_connected(self.output)
        self.value = self._result("", self.output)
        self.aux = mapped(self._result, aux, name="aux")

    def _variable(self, name: str, x: Any) -> Tensor:
        # The variable stays connected to what it is made of, for an outer derivative.
        connected = isinstance(x, Tensor) and x.requires_grad
        variable = identity(x) if connected else leaf(as_tensor(x, name=name))
        if variable.dtype.kind != "f":
            dtype = variable.dtype
            raise InputError(f"{name} has dtype {dtype}; expected floating point, and real, to differentiate by")
        self.variables.append(variable)
        return variable

    def _is_connected(self, x: Tensor) -> bool:
        return mode.taping and x.requires_grad and _depends_on_others(x, self.variables)

    def _result(self, name: str, x: Any) -> Any:
        """What a caller gets of a tensor: a constant, unless it depends on more than the variables."""
        return Tensor(x._data) if isinstance(x, Tensor) and x.requires_grad and not self._is_connected(x) else x

    def arranged(self, values: Sequence[Any]) -> Any:
        """One value for each variable, arranged as the arguments are."""
        left = iter(values)
        nests = tuple(filled(nest, left) for nest in self.nests)
        return nests[0] if self._single else nests


def _value_and_aux(returned: Any, has_aux: bool) -> tuple[Tensor, Any]:
    if has_aux and not (isinstance(returned, tuple) and len(returned) == 2):
        raise InputError(f"f returned {type(returned).__name__}; expected a pair (value, aux), as has_aux says")
    value, aux = returned if has_aux else (returned, None)
    if not isinstance(value, Tensor):
        hint = ", or has_aux=True for a pair (value, aux)" * (isinstance(value, tuple) and not has_aux)
        raise InputError(f"f returned {type(value).__name__}; expected a Tensor{hint}")
    if value.dtype.kind != "f":
        raise InputError(f"f returned a Tensor of dtype {value.dtype}; expected floating point, and real numbers")
    return value, aux


def _one_element(output: Tensor) -> Tensor:
    if output.size != 1:
        raise InputError(f"f returned shape {output.shape}; expected one element, such as its sum(), or jacobian()")
    return output


def _direction(name: str, variable: Tensor, tangent: Any) -> Tensor:
    tangent = as_tensor(tangent, variable, name)
    if tangent.shape != variable.shape:
        raise InputError(f"{name} has shape {tangent.shape}; expected that of its argument, {variable.shape}")
    return tangent


def _matrices(output: Tensor, call: _Call) -> list[Tensor]:
    """The derivatives of each element of a tensor by each variable."""
    rows = output.xp.eye(output.size, dtype=output.dtype)
    sweeps = [
        sweep(
            output,
            call.variables,
            Tensor(rows[i].reshape(output.shape)),
            retain_graph=True,
            create_graph=call.connected,
        )
        for i in range(output.size)
    ]
    shapes = [(*output.shape, *x.shape) for x in call.variables]
    if not sweeps:
        return [constant_like(x, 0.0, shape) for x, shape in zip(call.variables, shapes, strict=True)]
    return [reshape(stack(found), shape) for found, shape in zip(zip(*sweeps, strict=True), shapes, strict=True)]


def _depends_on_others(output: Tensor, variables: Sequence[Tensor]) -> bool:
    """Whether ``output`` was made from a leaf that requires gradients and is none of ``variables``."""
    known = {id(v) for v in variables}
    return any(x.node is None and id(x) not in known for x in ancestry(output))
