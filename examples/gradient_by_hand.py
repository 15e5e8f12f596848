"""Backpropagation from nothing, in sixty lines, on the paper's own bound.

    python examples/gradient_by_hand.py

The engine below is what minivae.autodiff does, without its broadcasting, derivatives of
derivatives, GPU and error messages. It differentiates Eq. 10 for a tiny VAE, and its
gradients are printed beside central finite differences and beside those of minivae.
"""

import argparse
from types import SimpleNamespace

import numpy as np

import minivae as mv
from minivae.errors import MinivaeError

# ------------------------------------------------------------ the engine


class Node:
    """An array and, for each node it was made from, the rule that carries a gradient back to it."""

    __array_ufunc__ = None  # array @ node is ours to answer, not NumPy's

    def __init__(self, value, *sources):
        self.value, self.sources = np.asarray(value), sources

    def __add__(self, other):
        return Node(self.value + other.value, (self, lambda g: g), (other, lambda g: g))

    def __mul__(self, other):
        other = other if isinstance(other, Node) else Node(other)
        return Node(self.value * other.value, (self, lambda g: g * other.value), (other, lambda g: g * self.value))

    def __matmul__(self, other):
        return Node(self.value @ other.value, (self, lambda g: g @ other.value.T), (other, lambda g: self.value.T @ g))

    def __rmatmul__(self, array):
        return Node(array) @ self


def tanh(a):
    y = np.tanh(a.value)
    return Node(y, (a, lambda g: g * (1 - y * y)))


def exp(a):
    y = np.exp(a.value)
    return Node(y, (a, lambda g: g * y))


def softplus(a):
    return Node(np.logaddexp(0, a.value), (a, lambda g: g / (1 + np.exp(-a.value))))


def total(a):
    return Node(a.value.sum(), (a, lambda g: np.full(a.value.shape, g)))


def gradient(output, inputs):
    """Walk from the output to the inputs, each node after all that used it, and sum what arrives."""
    order, seen, stack = [], set(), [(output, False)]
    while stack:  # depth first, without recursion: graphs may be deep
        node, listed_below = stack.pop()
        if listed_below:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            stack += [(node, True), *((source, False) for source, _ in node.sources)]
    pending = {id(output): 1.0}
    for node in reversed(order):
        for source, rule in node.sources:
            pending[id(source)] = pending.get(id(source), 0.0) + rule(pending[id(node)])
    return [pending[id(x)] for x in inputs]


# ------------------------------------------- what is differentiated, and the check


def bound(ops, x, noise, w3, w4, w5, w1, w2):
    """Eq. 10 with L = 1, up to a constant, summed over the data points; x (M, D), noise (M, J)."""
    h = ops.tanh(x @ w3)
    mu, log_var = h @ w4, h @ w5
    z = mu + ops.exp(log_var * 0.5) * noise  # section 2.4
    logits = ops.tanh(z @ w1) @ w2  # Eq. 11
    minus_kl = ops.sum(log_var + (mu * mu + ops.exp(log_var)) * -1.0) * 0.5  # App. B
    return ops.sum(logits * x + ops.softplus(logits) * -1.0) + minus_kl


def main(args: argparse.Namespace) -> None:
    rng = np.random.default_rng(0)
    x, noise = rng.integers(0, 2, (5, 8)).astype(float), rng.standard_normal((5, 2))
    names, shapes = ("W3", "W4", "W5", "W1", "W2"), ((8, 6), (6, 2), (6, 2), (2, 6), (6, 8))
    weights = [rng.standard_normal(shape) * 0.5 for shape in shapes]

    by_hand = SimpleNamespace(tanh=tanh, exp=exp, softplus=softplus, sum=total)
    nodes = [Node(w) for w in weights]
    tape = gradient(bound(by_hand, x, noise, *nodes), nodes)

    on = mv.backend.get_backend(args.backend).name
    x_on, noise_on, *weights_on = (mv.tensor(array, backend=on) for array in (x, noise, *weights))
    ours = mv.grad(lambda *w: bound(mv, x_on, noise_on, *w), argnums=range(5))(*weights_on)

    def difference(w, at, h=1e-5):
        """A central difference of the bound by one element of ``w``, which is put back."""
        middle, values = w[at], []
        for w[at] in (middle + h, middle - h):
            values.append(float(bound(by_hand, x, noise, *map(Node, weights)).value))
        w[at] = middle
        return (values[0] - values[1]) / (2 * h)

    print(f"{'':8} {'tape':>14} {'difference':>14} {'minivae on ' + on:>18}")
    for name, w, g, other in zip(names, weights, tape, ours, strict=True):
        rows = [(g[at], difference(w, at), other.numpy()[at]) for at in np.ndindex(w.shape)]
        print(f"{name + '[0, 0]':8} {rows[0][0]:14.9f} {rows[0][1]:14.9f} {rows[0][2]:18.9f}")
        # Differences are right to about h^2 and to rounding / h; the two tapes to rounding.
        assert np.allclose([r[0] for r in rows], [r[1] for r in rows], rtol=1e-6, atol=1e-8)
        assert np.allclose([r[0] for r in rows], [r[2] for r in rows], rtol=1e-12, atol=1e-12)
    print(f"all {sum(w.size for w in weights)} gradients agree")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backend", choices=mv.backend.names(), help="numpy (default) or cupy")
    try:
        main(parser.parse_args())
    except MinivaeError as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
