"""Convolutions: a grid of settings beside PyTorch, sums written out, layouts, recorded steps, what is refused."""

from itertools import product

import numpy as np
import pytest

import minivae as mv
import minivae.autodiff as ad
from minivae.autodiff import Parameter, backward, conv2d, conv_transpose2d, patches
from minivae.autodiff.patches import Window
from minivae.errors import InputError

# ------------------------------------------------------------- beside PyTorch

# Kernels, sizes of images, strides, paddings, dilations, groups.
GRID = list(
    product(
        [(1, 1), (3, 3), (2, 3)],
        [(5, 5), (6, 7), (1, 4)],
        [1, 2, (2, 1)],
        [0, 1, (2, 1)],
        [1, (1, 2)],
        [(4, 2, 1), (4, 8, 2), (3, 6, 3), (4, 4, 4), (1, 1, 1)],  # channels, outputs, groups
    )
)


def beside_pytorch(name, x, weight, bias, **options):
    """Assert that value and gradients are PyTorch's, or that both refuse; and return whether there was a value."""
    torch = pytest.importorskip("torch", reason="the oracle, from pip install 'minivae[oracle]'")
    given = [x, weight, bias]
    ours, theirs = [Parameter(v) for v in given], [torch.tensor(v, requires_grad=True) for v in given]
    try:
        expected = getattr(torch.nn.functional, name)(*theirs, **options)
    except RuntimeError:
        with pytest.raises(InputError):
            getattr(ad, name)(*ours, **options)
        return False
    found = getattr(ad, name)(*ours, **options)
    np.testing.assert_allclose(found.numpy(), expected.numpy(force=True), rtol=1e-12, atol=1e-13)
    v = np.random.default_rng(1).standard_normal(found.shape)
    gradients = backward(found, ours, v), torch.autograd.grad(expected, theirs, torch.tensor(v))
    for g, h in zip(*gradients, strict=True):
        np.testing.assert_allclose(g.numpy(), h.numpy(), rtol=1e-11, atol=1e-12)
    return True


@pytest.mark.parametrize(("channels", "outputs", "groups"), sorted({row[-1] for row in GRID}))
@pytest.mark.parametrize("kernel", [(1, 1), (3, 3), (2, 3)])
def test_a_grid_of_settings_is_pytorchs(kernel, channels, outputs, groups):
    """Two images, or one; a few settings of each hundred have a kernel larger than the image, which both refuse."""
    rows = [row for row in GRID if row[0] == kernel and row[-1] == (channels, outputs, groups)]
    rng, agreed = np.random.default_rng(0), 0
    for i, (_, size, stride, padding, dilation, _) in enumerate(rows):
        options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        images, weight = 1 + i % 2, rng.standard_normal((outputs, channels // groups, *kernel))
        given = rng.standard_normal((images, channels, *size)), weight, rng.standard_normal(outputs)
        agreed += beside_pytorch("conv2d", *given, **options)
        back = rng.standard_normal((images, outputs, *size)), weight, rng.standard_normal(channels)
        agreed += beside_pytorch("conv_transpose2d", *back, **options)
    assert agreed > len(rows)  # of twice as many


def test_output_paddings_are_pytorchs():
    rng = np.random.default_rng(2)
    for stride, dilation, more in product([1, 2, (3, 1)], [1, (2, 3)], [0, 1, (1, 2), 2]):
        given = [rng.standard_normal(shape) for shape in [(2, 2, 3, 4), (2, 3, 2, 3), (3,)]]
        options = {"stride": stride, "dilation": dilation, "padding": 1, "output_padding": more}
        beside_pytorch("conv_transpose2d", *given, **options)


def test_float32_is_as_near_as_pytorchs():
    torch = pytest.importorskip("torch", reason="the oracle, from pip install 'minivae[oracle]'")
    rng = np.random.default_rng(3)
    x, w = (rng.standard_normal(shape).astype("float32") for shape in [(20, 16, 9, 9), (32, 16, 3, 3)])
    exact = conv2d(x.astype("float64"), w.astype("float64"), padding=1).numpy()
    found = conv2d(x, w, padding=1)
    theirs = torch.nn.functional.conv2d(torch.tensor(x), torch.tensor(w), padding=1).numpy()
    assert found.dtype == np.float32
    assert np.abs(found.numpy() - exact).max() <= 4 * np.abs(theirs - exact).max()


# -------------------------------------------------------------- written out


def written_out(x, weight, window, size):
    """The sum of the module's first lines, element by element."""
    y = np.zeros((len(x), len(weight), *size))
    for n, o, i, j, c, u, v in np.ndindex(*y.shape, *weight.shape[1:]):
        row = window.stride[0] * i + window.dilation[0] * u - window.padding[0]
        column = window.stride[1] * j + window.dilation[1] * v - window.padding[1]
        if 0 <= row < x.shape[2] and 0 <= column < x.shape[3]:
            y[n, o, i, j] += x[n, c, row, column] * weight[o, c, u, v]
    return y


def test_it_is_the_sum_of_products_that_it_says():
    x, weight = np.arange(60.0).reshape(1, 2, 5, 6) - 30, np.arange(12.0).reshape(1, 2, 2, 3) - 5
    options = {"stride": (1, 2), "padding": (2, 1), "dilation": (3, 1)}
    y = conv2d(x, weight, **options).numpy()
    np.testing.assert_array_equal(y, written_out(x, weight, Window((2, 3), *options.values()), y.shape[2:]))


def triple(x, y, weight, window, groups):
    """<y, conv2d(x, w)>, <x, conv_transpose2d(y, w)> and <w, conv2d_weight(x, y)>."""
    row, more = ad.PRIMITIVES, {"window": window, "groups": groups}
    results = [
        ad.sum(ad.apply(row["conv2d"], x, weight, size=y.shape[2:], **more) * y),
        ad.sum(ad.apply(row["conv_transpose2d"], y, weight, size=x.shape[2:], **more) * x),
        ad.sum(ad.apply(row["conv2d_weight"], x, y, **more) * weight),
    ]
    return [result.item() for result in results]


@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("size", [(5, 5), (6, 4)])
def test_the_three_are_adjoint_to_each_other(groups, stride, size, backend_name):
    """In small integers, so exactly; also where rows at the end are not seen, or places stand beyond the end."""
    window, rng = Window((3, 2), (stride, stride), (1, 0), (1, 2)), np.random.default_rng(4)
    shapes = [(3, 4, *size), (3, 8, 4, 3), (8, 4 // groups, 3, 2)]
    x, y, w = (ad.tensor(rng.integers(-3, 4, shape).astype("float64"), backend=backend_name) for shape in shapes)
    one, *others = triple(x, y, w, window, groups)
    assert others == [one, one]
    assert one


# ------------------------------------------------------------ some at a time


@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("stride", [1, 2])
def test_how_many_images_are_gone_through_at_a_time_makes_no_difference(groups, stride, monkeypatch):
    rng = np.random.default_rng(5)
    shapes = [(7, 4, 6, 5), (8, 4 // groups, 3, 3)]
    x, w = (Parameter(rng.integers(-3, 4, shape).astype("float64")) for shape in shapes)

    def results():
        y = conv2d(x, w, padding=1, stride=stride, groups=groups)
        z = conv_transpose2d(y, w, padding=1, stride=stride, groups=groups)
        return [v.numpy() for v in (y, z, *backward(ad.sum(z * z), [x, w]))]

    expected = results()
    for elements in (1, 1200, 5000):
        monkeypatch.setattr(patches, "CACHED", elements)
        monkeypatch.setattr("minivae.autodiff.depthwise.CACHED", elements)
        for found, wanted in zip(results(), expected, strict=True):
            np.testing.assert_array_equal(found, wanted)


def test_patches_are_not_held_for_backward():
    """They would be nine times as large as the images."""
    x, w = Parameter(np.ones((4, 8, 6, 6))), Parameter(np.ones((8, 8, 3, 3)))
    held, seen = 0, set()
    pending = [conv2d(x, w, padding=1)]
    while pending:
        y = pending.pop()
        if id(y) not in seen:
            seen.add(id(y))
            held += y.data.nbytes
            pending += [i for i in (y.node.inputs if y.node else ()) if isinstance(i, ad.Tensor)]
    assert held == 2 * x.data.nbytes + w.data.nbytes


# ------------------------------------------------------------------- layouts


def test_channels_come_last_in_memory_and_the_gradient_of_a_kernel_lies_as_a_layer_keeps_it():
    x, w = Parameter(np.ones((2, 3, 4, 5))), Parameter(np.ones((6, 3, 2, 2)))
    y = conv2d(x, w)
    gx, gw = backward(ad.sum(y), [x, w])
    assert y.data.transpose(0, 2, 3, 1).flags.c_contiguous
    assert gx.data.transpose(0, 2, 3, 1).flags.c_contiguous
    assert gw.data.transpose(2, 3, 1, 0).flags.c_contiguous


def test_values_are_written_where_they_are_asked_for(backend_name):
    window, rng = Window((2, 2), (1, 1), (1, 1), (1, 1)), np.random.default_rng(6)
    for groups, stride in product([1, 2, 4], [1, 2]):
        window = window._replace(stride=(stride, stride))
        size = window.count(0, 5), window.count(1, 4)
        shapes = {"x": (2, 4, 5, 4), "y": (2, 8, *size), "w": (8, 4 // groups, 2, 2)}
        given = {k: ad.tensor(rng.standard_normal(s), backend=backend_name).data for k, s in shapes.items()}
        for name, inputs, result, more in [
            ("conv2d", "xw", "y", {"size": size}),
            ("conv_transpose2d", "yw", "x", {"size": (5, 4)}),
            ("conv2d_weight", "xy", "w", {}),
        ]:
            value, xp = ad.PRIMITIVES[name].value, ad.Tensor(given["x"]).xp
            attributes = {"window": window, "groups": groups, **more}
            arrays = [given[k] for k in inputs]
            expected = ad.Tensor(value(xp, *arrays, **attributes)).numpy()
            out = xp.full(shapes[result], 7.0, dtype="float64")
            assert value(xp, *arrays, out=out, **attributes) is out
            np.testing.assert_allclose(ad.Tensor(out).numpy(), expected, rtol=1e-14)


# ------------------------------------------------------------- recorded steps

RECORDED = {
    "plain": ((3, 4, 5, 6), (4, 4, 3, 3), {"padding": 1}),
    "from one channel": ((3, 1, 6, 6), (5, 1, 3, 3), {}),
    "steps of 2": ((3, 2, 7, 6), (4, 2, 3, 3), {"stride": 2, "padding": 1}),
    "one element": ((3, 4, 3, 3), (2, 4, 1, 1), {}),
    "groups": ((3, 4, 5, 5), (4, 2, 3, 3), {"groups": 2, "dilation": 2, "padding": 2}),
    "depthwise": ((3, 4, 5, 5), (8, 1, 3, 3), {"groups": 4, "padding": 1}),
}


@pytest.mark.parametrize("name", RECORDED)
@pytest.mark.parametrize("fast", [False, None])
def test_a_recorded_step_gives_the_bits_of_the_eager_one(name, fast):
    """Values, gradients and the gradient of their squares, with updates in place."""
    shape, kernel, options = RECORDED[name]
    rng = np.random.default_rng(7)
    starts = [rng.standard_normal(s).astype("float32") for s in (kernel, kernel[:1], kernel, kernel[1:2])]
    starts[3] = starts[3].repeat(options.get("groups", 1))

    class Net:
        def __init__(self):
            self.w, self.b, self.v, self.c = (Parameter(s.copy()) for s in starts)

        def step(self, x):
            h = ad.tanh(conv2d(x, self.w, self.b, **options))
            y = conv_transpose2d(h, self.v, self.c, **options)
            parameters = [self.w, self.b, self.v, self.c]
            gradients = backward(ad.mean(ad.square(y)), parameters, create_graph=True)
            second = backward(sum(ad.sum(ad.square(g)) for g in gradients), parameters)
            for p, g, s in zip(parameters, gradients, second, strict=True):
                ad.assign(p, p - 0.1 * g - 0.01 * s)
            return y

    eager, recorded = Net(), Net()
    step = mv.compile(recorded.step, fast, check=False)
    for _ in range(4):
        x = ad.tensor(rng.standard_normal(shape).astype("float32"))
        found, expected = step(x), eager.step(x)
        for a, b in zip((found, *vars(recorded).values()), (expected, *vars(eager).values()), strict=True):
            np.testing.assert_array_equal(a.numpy(), b.numpy())
    checked = mv.compile(Net().step, check=True)
    for _ in range(2):
        checked(x)


def test_a_program_counts_what_convolutions_read():
    """All of their inputs, and not so much as they write, as of what takes some elements."""
    x, w = np.ones((10, 4, 6, 6), "float32"), ad.Tensor(np.ones((4, 4, 3, 3), "float32"))
    state = ad.Tensor(np.zeros(w.shape, "float32"))

    def step(x):
        y = ad.apply(ad.PRIMITIVES["conv2d_weight"], x, x, window=Window((3, 3), *[(1, 1)] * 3), groups=1)
        return ad.assign(state, y)

    compiled = mv.compile(step)
    compiled(x)
    assert compiled.program.moved >= x.nbytes + state.data.nbytes


# ----------------------------------------------------------------- arguments


def test_integers_beside_floats_take_their_dtype():
    w = ad.tensor(np.ones((1, 1, 2, 2), "float32"))
    for x in (np.ones((1, 1, 3, 3), "int64"), ad.tensor(np.ones((1, 1, 3, 3), "int64"))):
        assert conv2d(x, w).dtype == np.float32


def test_no_images_give_none_and_gradients_of_0():
    x, w = Parameter(np.ones((0, 2, 4, 4))), Parameter(np.ones((3, 2, 2, 2)))
    y = conv2d(x, w, np.ones(3))
    gx, gw = backward(y, [x, w], np.ones(y.shape))
    assert (y.shape, gx.shape) == ((0, 3, 3, 3), (0, 2, 4, 4))
    np.testing.assert_array_equal(gw.numpy(), np.zeros((3, 2, 2, 2)))


@pytest.mark.parametrize(
    ("shapes", "options", "said"),
    [
        (((1, 2, 3, 3), (1, 2, 4, 2)), {}, r"x has shape \(1, 2, 3, 3\), weight \(1, 2, 4, 2\).* at least 4 x 2"),
        (((1, 2, 3, 3), (1, 2, 2, 2)), {"dilation": (1, 3)}, r"dilation \(1, 3\); .* at least 2 x 4"),
        (((1, 2, 3, 3), (1, 3, 2, 2)), {}, r"weight \(1, 3, 2, 2\), and groups is 1; expected images of as many"),
        (((1, 4, 3, 3), (3, 2, 2, 2)), {"groups": 2}, "a number of kernels that groups divide"),
        (((1, 4, 3, 3), (3, 4, 2, 2)), {"groups": 3}, "groups is 3; expected images of as many channels"),
        (((1, 2, 3, 3), (1, 2, 0, 2)), {}, r"weight has shape \(1, 2, 0, 2\); expected at least one channel"),
        (((1, 0, 3, 3), (1, 0, 2, 2)), {}, r"x has shape \(1, 0, 3, 3\); expected at least one channel"),
        (((2, 3, 3), (1, 2, 2, 2)), {}, r"x has shape \(2, 3, 3\); expected images \(N, C, H, W\)"),
        (((1, 2, 3, 3), (1, 2, 2, 2)), {"stride": 0}, "stride is 0; expected an integer of at least 1"),
        (((1, 2, 3, 3), (1, 2, 2, 2)), {"padding": (0, -1)}, "padding is -1; expected an integer of at least 0"),
        (((1, 2, 3, 3), (1, 2, 2, 2)), {"stride": (1, 1, 1)}, r"stride is \(1, 1, 1\); expected an integer, or two"),
    ],
)
def test_what_does_not_go_together_is_refused(shapes, options, said):
    with pytest.raises(InputError, match=said):
        conv2d(*map(np.ones, shapes), **options)


@pytest.mark.parametrize(
    ("shapes", "options", "said"),
    [
        (((1, 2, 3, 3), (3, 2, 2, 2)), {}, r"weight \(3, 2, 2, 2\), and groups is 1; expected images of as many"),
        (((1, 2, 1, 1), (2, 1, 2, 2)), {"padding": 1}, r"padding is 1, which gives images of \(0, 0\)"),
        (((1, 2, 0, 3), (2, 1, 2, 2)), {}, r"x has shape \(1, 2, 0, 3\)"),
        (((1, 2, 3, 3), (2, 1, 2, 2)), {"output_padding": (0, 1)}, r"output_padding is \(0, 1\); expected less than"),
    ],
)
def test_what_does_not_go_together_is_refused_by_the_transposed_one(shapes, options, said):
    with pytest.raises(InputError, match=said):
        conv_transpose2d(*map(np.ones, shapes), **options)
