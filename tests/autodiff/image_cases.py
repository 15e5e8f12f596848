"""The cases of operations on images: see :mod:`.cases`."""

from __future__ import annotations

from typing import Any

import minivae.autodiff as ad
from minivae.autodiff.patches import Window

from .case import case

# ---------------------------------------------------------------- convolutions

SETTINGS: dict[str, tuple[tuple, tuple, dict[str, Any]]] = {  # shapes of images and of kernels, and the rest
    "plain": ((2, 2, 4, 5), (3, 2, 3, 2), {}),
    "padded": ((1, 2, 3, 3), (2, 2, 3, 3), {"padding": 1}),
    "stride 2": ((1, 2, 5, 4), (2, 2, 2, 2), {"stride": 2}),
    "stride 2, the last row unseen": ((1, 1, 4, 6), (2, 1, 3, 3), {"stride": (2, 3)}),
    "dilated": ((1, 1, 5, 6), (2, 1, 2, 2), {"dilation": (2, 3), "padding": (1, 0)}),
    "one element": ((2, 3, 2, 2), (2, 3, 1, 1), {}),
    "one element, stride 2, padded": ((1, 2, 3, 3), (1, 2, 1, 1), {"stride": 2, "padding": 1}),
    "groups": ((2, 4, 3, 3), (6, 2, 2, 2), {"groups": 2, "padding": (0, 1)}),
    "depthwise": ((2, 3, 3, 4), (3, 1, 2, 3), {"groups": 3, "padding": 1}),
    "depthwise, two of each, stride 2": ((1, 2, 4, 4), (4, 1, 3, 3), {"groups": 2, "padding": 1, "stride": 2}),
    "many padding zeros": ((1, 1, 2, 2), (1, 1, 2, 2), {"padding": 3}),
    "few channels to many": ((1, 1, 3, 3), (4, 1, 2, 2), {}),
    "no images": ((0, 2, 3, 3), (2, 2, 2, 2), {"padding": 1}),
}


for _label, (_x, _w, _more) in SETTINGS.items():
    _groups, _size = _more.get("groups", 1), [n + 4 * (_more.get("padding") == 3) for n in _x[2:]]
    case(
        "conv2d",
        lambda x, w, b, more=_more: ad.conv2d(x, w, b, **more),
        lambda T, x, w, b, more=_more: T.nn.functional.conv2d(x, w, b, **more),
        _x,
        _w,
        _w[:1],
        label=_label,
    )
    case(  # of images with as many channels as the kernels have outputs
        "conv_transpose2d",
        lambda x, w, b, more=_more: ad.conv_transpose2d(x, w, b, **more),
        lambda T, x, w, b, more=_more: T.nn.functional.conv_transpose2d(x, w, b, **more),
        (_x[0], _w[0], *_size),
        _w,
        (_w[1] * _groups,),
        label=_label,
    )
for _op, _more in [((1, 0), {"stride": 2}), ((2, 1), {"stride": (1, 3), "dilation": (3, 2), "padding": 1})]:
    case(
        "conv_transpose2d",
        lambda x, w, op=_op, more=_more: ad.conv_transpose2d(x, w, output_padding=op, **more),
        lambda T, x, w, op=_op, more=_more: T.nn.functional.conv_transpose2d(x, w, output_padding=op, **more),
        (1, 2, 3, 3),
        (2, 1, 2, 2),
        label=f"more at the ends: {_op}",
    )
case("conv2d", lambda x: ad.conv2d(x, x), lambda T, x: T.nn.functional.conv2d(x, x), (2, 2, 3, 3), label="by itself")


def _weight(x: Any, y: Any, window: Window, groups: int) -> ad.Tensor:
    return ad.apply(ad.PRIMITIVES["conv2d_weight"], x, y, window=window, groups=groups)


for _label, (_x, _w, _more) in SETTINGS.items():
    _pairs = ((n, n) if isinstance(n, int) else n for n in (_more.get(k, k != "padding") for k in Window._fields[1:]))
    _window, _groups = Window(_w[2:], *(tuple(map(int, _pair)) for _pair in _pairs)), _more.get("groups", 1)  # type: ignore[arg-type]
    case(
        "conv2d_weight",
        lambda x, y, window=_window, groups=_groups: _weight(x, y, window, groups),
        # (PyTorch's own cannot be differentiated where there are no images.)
        lambda T, x, y, w=_w, more=_more: T.nn.grad.conv2d_weight(x, w, y, **more) + x.sum() * y.sum() * 0,
        _x,
        (_x[0], _w[0], _window.count(0, _x[2]), _window.count(1, _x[3])),
        label=_label,
    )

# -------------------------------------------------------------------- sizes

for _shape, _kernel, _stride, _padding in [
    ((2, 2, 4, 4), 2, None, 0),
    ((1, 2, 5, 4), (2, 3), (2, 1), (1, 0)),
    ((1, 1, 3, 3), 3, 1, 1),
    ((1, 1, 2, 2), 1, 1, 0),
    ((0, 1, 2, 2), 2, None, 0),
]:
    for _name in ("max_pool2d", "avg_pool2d"):
        case(
            _name,
            lambda x, name=_name, given=(_kernel, _stride, _padding): getattr(ad, name)(x, *given),
            lambda T, x, name=_name, given=(_kernel, _stride, _padding): getattr(T.nn.functional, name)(x, *given),
            _shape,
            label=f"{_kernel}, {_stride}, {_padding}",
        )
for _scale in (1, 2, (3, 1)):
    case(
        "upsample_nearest",
        lambda x, scale=_scale: ad.upsample_nearest(x, scale),
        lambda T, x, scale=_scale: T.nn.functional.interpolate(x * 1, scale_factor=scale),
        (2, 2, 2, 3),
        label=f"{_scale} times",
    )
