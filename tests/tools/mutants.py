"""Small mistakes in the mathematics of a file, made one at a time. See :mod:`tests.tools.mutation`.

A mutant changes one expression: it turns the sign of a derivative rule, drops a factor or
a term, exchanges + and -, drops a minus sign, or leaves an operation out, the sum that
undoes broadcasting among them. In models and in what they are made of it also stops a
gradient where none was stopped, takes one sample for many, another axis, or another constant.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

# Operations that a mutant leaves out, and which of their arguments it puts in their place.
LEFT_OUT = {
    **dict.fromkeys(
        ["exp", "expm1", "log", "log1p", "square", "sqrt", "absolute", "sign", "sin", "cos", "tanh", "negative"], (0,)
    ),
    **dict.fromkeys(["sigmoid", "softplus", "relu", "clip", "stop_gradient", "log_sigmoid"], (0,)),
    **dict.fromkeys(["gammaln", "digamma", "log_gammaincinv", "polygamma"], (-1,)),
    **dict.fromkeys(
        ["sum", "mean", "max", "min", "softmax", "log_softmax", "logsumexp", "sum_to", "restore_axes"], (0,)
    ),
    **dict.fromkeys(["reshape", "transpose", "swapaxes", "astype", "getitem", "scatter", "broadcast_to"], (0,)),
    **dict.fromkeys(["flatten", "squeeze", "expand_dims", "moveaxis", "flip", "diagonal", "tril", "triu", "inv"], (0,)),
    **dict.fromkeys(["_transposed", "_triangle"], (0,)),
    **dict.fromkeys(["add", "maximum", "minimum", "matmul", "_matmul"], (0, 1)),
    "where": (1, 2),
}
STOPPED = "stopped_gradient"  # a builtin of the process that tests: stop_gradient, where there is one to stop
# Mutants that compute the same as the original, so that no test could tell them apart:
# (file, expression, what takes its place): the reason.
EQUIVALENT = {
    (
        "minivae/autodiff/reduce.py",
        "stop_gradient(max(x, axis, keepdims=True))",
        "max(x, axis, keepdims=True)",
    ): "log_softmax is the same for any shift, so its gradient by the shift is 0; to stop it only saves work",
    (
        "minivae/bounds.py",
        "stop_gradient((max if order < 1 else min)(log_w, axis=0))",
        "(max if order < 1 else min)(log_w, axis=0)",
    ): "as above: the bound is the same for any shift",
    (
        "minivae/autodiff/shape.py",
        "astype(g, x.dtype)",
        "g",
    ): "backward casts every cotangent to the dtype of its input",
    (
        "minivae/distributions/categorical.py",
        "astype(equal(x, one_hot_of_largest(x)), x.dtype)",
        "equal(x, one_hot_of_largest(x))",
    ): "the least of booleans is below 1 where that of 0 and 1 is",
    (
        "minivae/models/posterior/categorical_vae.py",
        "self.encoder.parameters()[0]",
        f"{STOPPED}(self.encoder.parameters()[0])",
    ): "asked for its dtype and backend alone",
    **{
        (f"minivae/models/{name}.py", "self.parameters()[0]", f"{STOPPED}(self.parameters()[0])"): "as above"
        for name in ("autoregressive/made", "model")
    },
    (
        "minivae/optim/optimizer.py",
        "self._flat.vector",
        f"{STOPPED}(self._flat.vector)",
    ): "as above",
    **{
        ("minivae/nn/masked.py", weight, f"{STOPPED}({weight})"): "as above, and for its shape"
        for weight in ("self.layers[0].weight", "self.context.weight")
    },
    ("minivae/nn/masked.py", "astype(mask, dtype)", "mask"): "a product of numbers with booleans is one with 0 and 1",
    ("minivae/models/autoregressive/made.py", "u * 0.0", "u"): "no pixel looks at one that is not drawn yet",
    ("minivae/models/autoregressive/made.py", "0.0", "1.0"): "as above",
    ("minivae/distributions/autoregressive.py", "noise * 0.0", "noise"): "no code looks at one that is not drawn yet",
    ("minivae/distributions/autoregressive.py", "0.0", "1.0"): "as above",
    (
        "minivae/regularizers/total_correlation.py",
        "expand_dims(u, 0)",
        "u",
    ): "broadcasting puts an axis in front by itself",
    ("minivae/regularizers/pairs.py", "expand_dims(y, 0)", "y"): "as above",
    **{
        ("minivae/regularizers/total_correlation.py", f"astype({less}, z.dtype)", less): (
            "where makes numbers of booleans beside numbers"
        )
        for less in ("less(row, expand_dims(row, -1))", "less(above, below)")
    },
    (
        "minivae/models/likelihood/sigma_vae.py",
        "maximum(errors, self._least)",
        f"{STOPPED}(maximum(errors, self._least))",
    ): "the loss is at its least by the best variance, or that is the floor",
    (
        "minivae/models/sequence/td_vae.py",
        "astype(equal(expand_dims(swapaxes(place, 0, 1), -1), steps), sequences.dtype)",
        "equal(expand_dims(swapaxes(place, 0, 1), -1), steps)",
    ): "a product of numbers with booleans is one with 0 and 1",
    ("minivae/models/semi_supervised/m2.py", "log_q", f"{STOPPED}(log_q)"): "the mean of a score is 0",
    **{
        (
            f"minivae/models/{name}.py",
            "self.encoder.first_parameter()",
            f"{STOPPED}(self.encoder.first_parameter())",
        ): "asked for its dtype and backend alone"
        for name in ("aggregate/hfvae", "posterior/categorical_vae", "posterior/joint_vae")
    },
    (
        "minivae/nn/spectral.py",
        "stop_gradient(_unit(stretched, u))",
        "_unit(stretched, u)",
    ): "a length has the same gradient whether its direction is held or not",
    **{
        ("minivae/nn/spectral.py", held, f"{STOPPED}({held})"): "a unit vector that is held as a whole"
        for held in ("norm(x)", "where(nothing, otherwise, x / where(nothing, 1.0, length))")
    },
    ("minivae/distributions/sphere_cumulants.py", "root + kappa", "root"): "nodes lie about it, and near it is enough",
    (
        "minivae/distributions/sphere_cumulants.py",
        "(xp.log(t_0) - xp.log(2 - t_0))[..., None] + WIDTH / math.sqrt(a) * xp.sinh(v)",
        "(xp.log(t_0) - xp.log(2 - t_0))[..., None] - WIDTH / math.sqrt(a) * xp.sinh(v)",
    ): "the nodes lie as far on either side",
    (
        "minivae/distributions/von_mises_fisher.py",
        "astype(equal(arange(like.shape[-1], like=like), 0.0), like.dtype)",
        "equal(arange(like.shape[-1], like=like), 0.0)",
    ): "beside numbers booleans are 0 and 1",
    ("minivae/bounds.py", "1e+30", "2e+30"): "any order that float32 has room above",
    ("minivae/bounds.py", "stop_gradient(values)", "values"): "what it is multiplied by is 0",
    ("minivae/models/posterior/vq_vae.py", "1e-10", "2e-10"): "any small number keeps 0 log 0 from being none",
    ("minivae/models/posterior/coupling_vae.py", "h.shape[-1]", "h.shape[0]"): "beside no features x is x",
    (
        "minivae/models/sequence/state_space.py",
        "astype(equal(expand_dims(delta, -1), arange(1, self.jumps + 1, like=delta)), delta.dtype)",
        "equal(expand_dims(delta, -1), arange(1, self.jumps + 1, like=delta))",
    ): "joined to numbers booleans are 0 and 1",
    (
        "minivae/models/semi_supervised/m1_m2.py",
        "stop_gradient(z)",
        "z",
    ): "M2's loss trains M2 alone, and stands stopped in M1's; the walk is shorter",
    ("minivae/models/semi_supervised/m1_m2.py", "stop_gradient(m2.loss)", "m2.loss"): "as above: z is held",
    **{
        ("minivae/models/semi_supervised/m1_m2.py", term, f"{STOPPED}({term})"): "of a term that is reported alone"
        for term in ("-mean(q.entropy())", "m2.terms['bound']", "reconstruction", "apart", "m2.terms['label']")
    },
    **{
        (f"minivae/models/{name}.py", "-terms['bound']", "terms['bound']"): "with_loss puts another in its place"
        for name in ("adversarial/factor_vae", "posterior/iaf_vae", "aggregate/info_vae")
    },
}


# Where a mutant also changes what a loss is made of.
OF_LOSSES = ("bounds.py", "models/", "inference/", "regularizers/", "nn/", "optim/", "training/")
BUILDERS = ("__init__", "build", "make_decoder")
SAMPLE_COUNTS = ("samples", "groups", "count", "draws", "chains")
SWAPPED = {0: -1, 1: 0, -1: 0, -2: -1}  # axes


class Mutant(NamedTuple):
    """One change of a file: bytes ``start`` to ``end``, which read ``before``, become ``after``."""

    path: str
    line: int
    before: str
    after: str
    start: int
    end: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.before}  ->  {self.after}"

    def apply(self, source: bytes) -> bytes:
        """The changed source."""
        return source[: self.start] + f"({self.after})".encode() + source[self.end :]


class _Mutator(ast.NodeVisitor):
    """Collects the mutants of a file, as pairs of an expression and what takes its place."""

    def __init__(self) -> None:
        self.found: list[tuple[ast.expr, ast.expr]] = []

    def visit_BinOp(self, node: ast.BinOp) -> None:
        """Drop a factor or a term; exchange + and -."""
        left, op, right = node.left, node.op, node.right
        replacements = {
            ast.Mult: [left, right],
            ast.Div: [left],
            ast.Pow: [left],
            ast.Add: [left, right, ast.BinOp(left, ast.Sub(), right)],
            ast.Sub: [left, ast.BinOp(left, ast.Add(), right)],
        }
        self.found += [(node, new) for new in replacements.get(type(op), ())]
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        """Drop a minus sign."""
        if isinstance(node.op, ast.USub) and not isinstance(node.operand, ast.Constant):
            self.found.append((node, node.operand))
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        """Leave an operation out."""
        if isinstance(node.func, ast.Name):
            kept = [i for i in LEFT_OUT.get(node.func.id, ()) if i < len(node.args)]
            self.found += [(node, node.args[i]) for i in kept if not isinstance(node.args[i], ast.Starred)]
        self.generic_visit(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        """Turn the sign of a derivative rule: a function whose first argument is ``g``."""
        self._turn_sign(node.args, node.body)
        self.visit(node.body)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """As for a lambda; annotations and defaults are left alone."""
        for part in node.body:
            if isinstance(part, ast.Return) and part.value:
                self._turn_sign(node.args, part.value)
            self.visit(part)

    def _turn_sign(self, arguments: ast.arguments, value: ast.expr) -> None:
        if arguments.args and arguments.args[0].arg == "g" and not isinstance(value, ast.UnaryOp):
            self.found.append((value, ast.UnaryOp(ast.USub(), value)))

    def visit_If(self, node: ast.If) -> None:
        """Leave alone what only refuses."""
        if all(isinstance(part, ast.Raise) for part in node.body) and not node.orelse:
            return
        self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> None:
        """Leave messages alone."""

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Leave texts alone."""


class _OfLosses(_Mutator):
    """Collects those of a file in which losses are made, too."""

    _makes = False  # whether we are in a function that makes a model, or in what is stopped anyway

    def visit_BinOp(self, node: ast.BinOp) -> None:
        """Stop the gradient of a term; another constant."""
        operands = (node.left, node.right)
        if isinstance(node.op, ast.Add | ast.Sub):
            self._stop(*operands)
        self._another_constant(*operands)
        super().visit_BinOp(node)

    def visit_Call(self, node: ast.Call) -> None:
        """Inside of what is stopped there is none to stop."""
        before, self._makes = self._makes, self._makes or ast.unparse(node.func) == "stop_gradient"
        super().visit_Call(node)
        self._makes = before

    def visit_Assign(self, node: ast.Assign) -> None:
        """Stop the gradient of what gets a name."""
        self._stop(node.value)
        self._another_constant(node.value)
        self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """What makes a model holds no gradient to stop."""
        self._makes = node.name in BUILDERS
        super().visit_FunctionDef(node)
        self._makes = False

    def visit_Return(self, node: ast.Return) -> None:
        """Stop the gradient of what is returned."""
        if node.value:
            self._stop(node.value)
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        """Drop what is added."""
        self.found.append((node.value, ast.BinOp(ast.Constant(0), ast.Mult(), node.value)))
        self.generic_visit(node)

    def visit_keyword(self, node: ast.keyword) -> None:
        """Another axis."""
        if node.arg == "axis" and (axis := _number(node.value)) in SWAPPED:
            self.found.append((node.value, ast.Constant(SWAPPED[axis])))
        elif node.arg == "axis" and isinstance(node.value, ast.Tuple):
            self.found += [(node.value, axis) for axis in node.value.elts]
        self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        """The length of another axis."""
        if isinstance(node.value, ast.Attribute) and node.value.attr == "shape" and _number(node.slice) in SWAPPED:
            self.found.append((node, ast.Subscript(node.value, ast.Constant(SWAPPED[_number(node.slice)]))))
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        """One sample."""
        if isinstance(node.ctx, ast.Load) and node.id in SAMPLE_COUNTS:
            self.found.append((node, ast.Constant(1)))

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """One sample."""
        if isinstance(node.ctx, ast.Load) and node.attr in SAMPLE_COUNTS:
            self.found.append((node, ast.Constant(1)))
        self.generic_visit(node)

    def _stop(self, *values: ast.expr) -> None:
        for value in () if self._makes else values:
            if isinstance(value, ast.Call | ast.BinOp | ast.Name | ast.UnaryOp | ast.Attribute | ast.Subscript):
                self.found.append((value, ast.Call(ast.Name(STOPPED), [value], [])))

    def _another_constant(self, *values: ast.expr) -> None:
        for value in values:
            if isinstance(value, ast.Constant) and type(value.value) in (int, float):
                self.found.append(
                    (value, ast.Constant(value.value * 2 or 1.0 if type(value.value) is float else value.value + 1))
                )


def _number(node: ast.expr) -> int | None:
    """An integer in the source, maybe negative."""
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return None
    return value if type(value) is int else None


def mutants_of(path: str, source: bytes) -> Iterator[Mutant]:
    """Every mutant of a file that is not known to be equivalent to the original."""
    starts = [0]
    for text in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(text))
    mutator = (_OfLosses if path.removeprefix("minivae/").startswith(OF_LOSSES) else _Mutator)()
    mutator.visit(ast.parse(source))
    for node, new in mutator.found:
        start, end = starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset
        mutant = Mutant(path, node.lineno, ast.unparse(node), ast.unparse(new), start, end)
        if (path, mutant.before, mutant.after) not in EQUIVALENT:
            yield mutant
