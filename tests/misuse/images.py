"""Wrong arguments of operations on images and of their layers."""

from __future__ import annotations

from typing import Any

import numpy as np

import minivae.autodiff as ad
from minivae import nn
from minivae.autodiff import Tensor

from .engine import NO_TENSORS
from .small import BACKENDS, COUNTS, DTYPES, GENERATOR, GENERATORS, OPTIONS, POINTS
from .subject import Says, misuse, ones, strict

# ---------------------------------------------------------------- operations

IMAGES = (*NO_TENSORS, ones(2, 4, 5), ones(2, 3, 5, 5), ones(2, 4, 2, 2), ones(2, 0, 5, 5))
STEPS = (0, -1, 0.5, "2", None, (1, 1, 1), (1, 0), [], ones(2))
PADDINGS = (-1, 0.5, "same", None, (1, 1, 1), (0, -1), ones(2))
for convolution in (ad.conv2d, ad.conv_transpose2d):
    there = convolution is ad.conv2d
    misuse(
        convolution,
        {"x": ones(2, 4, 5, 5), "weight": ones(4, 2, 3, 3), "bias": ones(4), "groups": 2},
        x=IMAGES if there else (*IMAGES[:-2], ones(2, 4, 0, 5), IMAGES[-1]),
        weight=(*NO_TENSORS, ones(4, 2, 3), ones(3 if there else 6, 2, 3, 3), ones(4, 2, 0, 3), strict(4, 2, 3, 3)),
        bias=(*(x for x in NO_TENSORS if x is not None), ones(3), ones(1, 4), strict(4)),
        stride=STEPS,
        padding=PADDINGS if there else (*PADDINGS, 4),
        dilation=(*STEPS, 3) if there else STEPS,
        groups=(0, 3, -1, 0.5, "2", None),
        **({} if there else {"output_padding": (*PADDINGS, 1, (0, 1))}),
    )
for pool in (ad.max_pool2d, ad.avg_pool2d):
    misuse(
        pool,
        {"x": ones(2, 4, 5, 5), "kernel_size": 3, "stride": 2, "padding": 1},
        x=(*NO_TENSORS, ones(4, 5, 5), ones(2, 4, 0, 5)),
        kernel_size=(*STEPS, 8),
        stride=[n for n in STEPS if n is not None],
        padding=(*PADDINGS, 2),
    )
misuse(ad.upsample_nearest, {"x": ones(2, 4, 5, 5), "scale": 2}, x=(*NO_TENSORS, ones(4, 5, 5)), scale=STEPS)

# --------------------------------------------------------------------- layers

OTHER_IMAGES = (*NO_TENSORS, ones(5, 4, 3), ones(5, 3, 6, 6), ones(4), strict(5, 4, 6, 6))
OF_NORM = {"epsilon": 1e-5, "dtype": "float32", "backend": "numpy"}
NO_NORM = {"epsilon": (0.0, -1e-5, np.inf, np.nan, "0", None), "dtype": DTYPES, "backend": BACKENDS}
misuse(nn.LayerNorm, {"shape": (3, 2), **OF_NORM}, shape=(None, 0, -1, 0.5, "2", (2, 0), (), (2, "3")), **NO_NORM)
misuse(nn.LayerNorm.__call__, {"x": ones(5, 3, 2)}, call=nn.LayerNorm((3, 2)), x=(*POINTS, ones(2), strict(5, 3, 2)))
misuse(
    nn.GroupNorm,
    {"groups": 2, "channels": 4, **OF_NORM},
    groups=(*COUNTS, 3),
    channels=(*COUNTS, Says(3, "divides 3", "groups")),
    **NO_NORM,
)
misuse(nn.GroupNorm.__call__, {"x": ones(5, 4, 6, 6)}, call=nn.GroupNorm(2, 4), x=(*NO_TENSORS, *OTHER_IMAGES[-3:]))
misuse(nn.BatchNorm2d.__call__, {"x": ones(5, 4, 6, 6)}, call=nn.BatchNorm2d(4), x=OTHER_IMAGES)
OF_KERNELS = {"inputs": 4, "outputs": 6, "kernel_size": 3, "generator": GENERATOR, "groups": 2, "init": "he"}
NO_KERNELS = {"inputs": COUNTS, "outputs": COUNTS, "kernel_size": STEPS, "generator": GENERATORS}
for convolution in (nn.Conv2d, nn.ConvTranspose2d):
    more = {"output_padding": PADDINGS} if convolution is nn.ConvTranspose2d else {}
    misuse(
        convolution,
        {**OF_KERNELS, "dtype": "float32", "backend": "numpy"},
        **NO_KERNELS,
        stride=STEPS,
        padding=PADDINGS,
        dilation=STEPS,
        groups=(*COUNTS, 3),
        **OPTIONS,
        **more,
    )
    misuse(convolution.__call__, {"x": ones(5, 4, 6, 6)}, call=convolution(4, 6, 3, GENERATOR), x=OTHER_IMAGES)
misuse(
    nn.MaskedConv2d,
    {"mask": "A", "inputs": 4, "outputs": 6, "kernel_size": 3, "generator": GENERATOR, "colors": 2, "dilation": 1},
    mask=("C", "a", None, 1),
    **NO_KERNELS | {"kernel_size": (*STEPS, 2, (3, 4))},
    colors=(*COUNTS, 3),
    dilation=STEPS,
)
misuse(nn.Gated, {"layer": ad.exp, "axis": 1}, layer=("x", None, 3), axis=(0.5, "1", None))
misuse(nn.Gated.__call__, {"x": ones(2, 4)}, call=nn.Gated(ad.exp), x=(*NO_TENSORS, Says(ones(2, 3), "3", "sections")))
misuse(nn.Residual, {"layer": ad.exp}, layer=("x", None, 3))
misuse(nn.Residual.__call__, {"x": ones(2, 4)}, call=nn.Residual(ad.exp), x=NO_TENSORS)
misuse(
    nn.SqueezeExcitation,
    {"channels": 4, "hidden": 2, "generator": GENERATOR},
    channels=COUNTS,
    hidden=COUNTS,
    generator=GENERATORS,
)
misuse(
    nn.SqueezeExcitation.__call__,
    {"x": ones(5, 4, 6, 6)},
    call=nn.SqueezeExcitation(4, 2, GENERATOR),
    x=OTHER_IMAGES,
)
misuse(nn.Dropout, {"rate": 0.5}, rate=(-0.1, 1.0, 1.5, np.nan, "0", None))


def dropped(x: Any, noise: Any) -> Tensor:
    with nn.training_mode():
        return nn.Dropout(0.5)(x, noise)


misuse(
    nn.Dropout.__call__,
    {"x": ones(2, 3), "noise": GENERATOR},
    call=dropped,
    x=NO_TENSORS,
    noise=(*NO_TENSORS, ones(2, 2), strict(2, 3)),
)
misuse(
    nn.WeightNormLinear,
    {"inputs": 2, "outputs": 3, "generator": GENERATOR},
    inputs=COUNTS,
    outputs=COUNTS,
    generator=GENERATORS,
)
misuse(nn.WeightNormConv2d, OF_KERNELS, **NO_KERNELS)
