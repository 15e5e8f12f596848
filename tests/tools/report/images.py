"""Rows of the layers of images: each against its sums written out in NumPy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import special

from minivae import backend
from minivae.autodiff import Tensor, tensor
from minivae.nn import (
    BatchNorm2d,
    Conv2d,
    ConvTranspose2d,
    Dropout,
    Gated,
    GroupNorm,
    LayerNorm,
    MaskedConv2d,
    Residual,
    SqueezeExcitation,
    WeightNormConv2d,
    WeightNormLinear,
    training_mode,
)

from .networks import X, row, shaken
from .page import SEED, Row

IMAGES = np.random.default_rng(SEED).normal(size=(2, 4, 5, 4))


def placed(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, padding: int, stride: int = 1) -> np.ndarray:
    """The convolution as a sum over the kernel's elements, each times all that it sees."""
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    kh, kw = weight.shape[2:]
    rows, columns = x.shape[2] - kh + 1, x.shape[3] - kw + 1
    seen = (x[:, :, u : u + rows : stride, v : v + columns : stride] for u, v in np.ndindex(kh, kw))
    terms = (
        np.einsum("nchw,oc->nohw", s, weight[:, :, u, v]) for s, (u, v) in zip(seen, np.ndindex(kh, kw), strict=True)
    )
    return sum(terms) + bias[:, None, None]


def convolution() -> Row:
    layer = shaken(Conv2d(4, 3, (3, 2), backend.generator(0), padding=1, stride=2, dtype="float64"))
    weight, bias = layer.state_dict().values()
    return row(layer, [layer(IMAGES)], [placed(IMAGES, weight, bias, 1, 2)], layer, IMAGES)


def transposed_convolution() -> Row:
    """That of images with zeros between their elements, by the kernels turned round."""
    layer = shaken(ConvTranspose2d(4, 3, 3, backend.generator(0), stride=2, dtype="float64"))
    weight, bias = layer.state_dict().values()
    apart = np.zeros((2, 4, 9, 7))
    apart[:, :, ::2, ::2] = IMAGES
    expected = placed(apart, weight.swapaxes(0, 1)[:, :, ::-1, ::-1], bias, 2)
    return row(layer, [layer(IMAGES)], [expected], layer, IMAGES)


def masked_convolution() -> Row:
    layer = shaken(MaskedConv2d("B", 4, 2, 3, backend.generator(0), colors=2, dtype="float64"))
    weight, bias = layer.state_dict().values()
    weight[:, :, 1, 2:], weight[:, :, 2], weight[0, 2:, 1, 1] = 0, 0, 0
    return row(layer, [layer(IMAGES)], [placed(IMAGES, weight, bias, 1)], layer, IMAGES)


def even(x: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + 1e-5)


def layer_norm() -> Row:
    layer = shaken(LayerNorm((5, 4), dtype="float64"))
    weight, bias = layer.state_dict().values()
    return row(layer, [layer(IMAGES)], [even(IMAGES, (2, 3)) * weight + bias], layer, IMAGES)


def group_norm() -> Row:
    layer = shaken(GroupNorm(2, 4, dtype="float64"))
    weight, bias = (v[:, None, None] for v in layer.state_dict().values())
    expected = even(IMAGES.reshape(2, 2, 2, 5, 4), (2, 3, 4)).reshape(IMAGES.shape) * weight + bias
    return row(layer, [layer(IMAGES)], [expected], layer, IMAGES)


def batch_norm_of_images() -> Row:
    """In training."""
    layer = BatchNorm2d(4, dtype="float64")
    layer.weight.data[...], layer.bias.data[...] = [0.5, 1.0, 2.0, -1.0], [0.0, 1.0, -1.0, 0.5]
    weight, bias = (v.numpy()[:, None, None] for v in layer.parameters())

    def trained(x: Tensor) -> Tensor:
        with training_mode():
            return layer(x)

    return row(layer, [trained(tensor(IMAGES))], [even(IMAGES, (0, 2, 3)) * weight + bias], trained, IMAGES)


def gated() -> Row:
    layer = shaken(Gated(Conv2d(4, 4, 1, backend.generator(0), dtype="float64")))
    weight, bias = layer.state_dict().values()
    h = placed(IMAGES, weight, bias, 0)
    return row(layer, [layer(IMAGES)], [np.tanh(h[:, :2]) * special.expit(h[:, 2:])], layer, IMAGES)


def residual() -> Row:
    layer = shaken(Residual(Conv2d(4, 4, 3, backend.generator(0), padding=1, dtype="float64")))
    weight, bias = layer.state_dict().values()
    return row(layer, [layer(tensor(IMAGES))], [IMAGES + placed(IMAGES, weight, bias, 1)], layer, IMAGES)


def squeeze_excitation() -> Row:
    layer = shaken(SqueezeExcitation(4, 3, backend.generator(0), dtype="float64"))
    v, b, w, c = layer.state_dict().values()
    weights = special.expit(np.maximum(IMAGES.mean((2, 3)) @ v + b, 0) @ w + c)
    return row(layer, [layer(IMAGES)], [IMAGES * weights[:, :, None, None]], layer, IMAGES)


def dropout() -> Row:
    """Of numbers that are given."""
    layer, u = Dropout(0.3), np.random.default_rng(SEED).uniform(size=IMAGES.shape)

    def dropped(x: Tensor) -> Tensor:
        with training_mode():
            return layer(x, u)

    return row(layer, [dropped(tensor(IMAGES))], [np.where(u < 0.3, 0, IMAGES / 0.7)], dropped, IMAGES)


def weight_norm() -> Row:
    layer = shaken(WeightNormLinear(4, 3, backend.generator(0), dtype="float64"))
    v, bias, gain = layer.state_dict().values()
    return row(layer, [layer(X)], [X @ (gain * v / np.linalg.norm(v, axis=0)) + bias], layer, X)


def weight_norm_of_kernels() -> Row:
    layer = shaken(WeightNormConv2d(4, 3, 2, backend.generator(0), dtype="float64"))
    v, bias, gain = layer.state_dict().values()
    weight = gain * v / np.sqrt(np.square(v).sum((1, 2, 3), keepdims=True))
    return row(layer, [layer(IMAGES)], [placed(IMAGES, weight, bias, 0)], layer, IMAGES)


LAYERS: dict[str, Callable[[], Row]] = {
    "BatchNorm2d": batch_norm_of_images,
    "Conv2d": convolution,
    "ConvTranspose2d": transposed_convolution,
    "MaskedConv2d": masked_convolution,
    "LayerNorm": layer_norm,
    "GroupNorm": group_norm,
    "Gated": gated,
    "Residual": residual,
    "SqueezeExcitation": squeeze_excitation,
    "Dropout": dropout,
    "WeightNormLinear": weight_norm,
    "WeightNormConv2d": weight_norm_of_kernels,
}
