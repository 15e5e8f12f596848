"""What a user writes, for the type checker alone (``pyright``, in the gate): every name is found and has a type."""

from typing import NamedTuple

import numpy as np

import minivae as mv

w = mv.Parameter(np.ones((64, 3), np.float32))
x = mv.tensor(np.ones((5, 64)), "float32")


class Pair(NamedTuple):
    """Named results of a step."""

    loss: mv.Tensor
    norm: mv.Tensor


def loss(w: mv.Tensor) -> mv.Tensor:
    h = mv.tanh(x @ w) * 2 + 1 / (1 + mv.exp(-x @ w)) - w.sum(axis=0, keepdims=True)
    return mv.mean(mv.square(h)) + abs(h[0, 1:]).max() + mv.logsumexp(h.T.reshape(3, -1), axis=1).sum() ** 2


def step(x: mv.Tensor) -> Pair:
    value = loss(w)
    (g,) = mv.backward(value, [w])
    mv.assign(w, w - g * 0.1)
    return Pair(value, mv.sqrt(mv.sum(g * g)))


gradient: mv.Tensor = mv.grad(loss)(w)
value, both = mv.value_and_grad(loss)(w)
compiled = mv.compile(step, check=True)
norm: float = compiled(x).norm.item() + float(value) + gradient.numpy().mean()
mask: mv.Tensor = (gradient > 0) * 1.0
report = mv.check_gradients(lambda w: mv.sum(mv.exp(w) * 2), [w], order=2)
digits = mv.datasets.load("digits")
model = mv.models.VAE(digits.data_dim, latent_dim=2, hidden=(16,))
history = mv.fit(model, digits, epochs=1, progress=False, compile=False)
print(norm, mask.shape, report.largest_error, history.rows[-1]["test_bound"], both.dtype)
