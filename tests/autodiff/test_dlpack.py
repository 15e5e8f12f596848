"""Arrays of other libraries in and out, with NumPy and PyTorch as the others."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import minivae as mv
from minivae.errors import InputError, MisuseError

ARRAYS = hnp.arrays(
    st.sampled_from(["float32", "float64", "int64", "uint8", "bool"]), hnp.array_shapes(min_dims=0, max_dims=3)
)


@given(ARRAYS)
def test_numpy_takes_a_tensor_and_gives_it_back(values):
    x = mv.tensor(values)
    out = np.from_dlpack(x)
    np.testing.assert_array_equal(out, values)
    assert out.dtype == values.dtype
    assert np.shares_memory(out, x.data) or not values.size
    again = mv.from_dlpack(values)
    np.testing.assert_array_equal(again.numpy(), values)
    assert not again.requires_grad


def test_it_lies_on_the_device_of_its_array():
    assert mv.tensor([1.0]).__dlpack_device__() == np.ones(1).__dlpack_device__()


def test_pytorch_shares_the_memory_both_ways():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    x = mv.tensor(np.arange(6.0).reshape(2, 3))
    theirs = torch.from_dlpack(x)
    assert theirs.tolist() == x.tolist()
    theirs[0, 0] = 7
    assert x.tolist()[0][0] == 7
    ours = mv.from_dlpack(theirs * 2)
    assert ours.tolist() == [[14, 2, 4], [6, 8, 10]]
    np.testing.assert_array_equal(mv.grad(lambda w: mv.sum(w * ours))(mv.ones((2, 3), "float64")).numpy(), ours.numpy())


def test_arrays_that_are_turned_or_have_gaps():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    base = np.arange(24.0).reshape(4, 6)
    for view in (base.T, base[::2], base[:, 1::2]):
        assert torch.from_dlpack(mv.tensor(view)).tolist() == view.tolist()
        assert mv.from_dlpack(torch.from_numpy(view)).tolist() == view.tolist()


class Consumer:
    """One that knows nothing of arrays that may not be written, as DLPack had none at first."""

    def __init__(self, x):
        self.capsule, self.device = x.__dlpack__(), x.__dlpack_device__()

    def __dlpack__(self, **_):
        return self.capsule

    def __dlpack_device__(self):
        return self.device


def test_a_read_only_array_is_handed_out_as_such_or_as_a_copy():
    values = np.ones(3)
    values.flags.writeable = False
    shared, copied = np.from_dlpack(mv.Tensor(values)), np.from_dlpack(Consumer(mv.Tensor(values)))
    assert not shared.flags.writeable
    assert np.shares_memory(shared, values)
    assert not np.shares_memory(copied, values)
    assert copied.tolist() == [1, 1, 1]


def test_a_tensor_that_requires_gradients_is_not_handed_out():
    w = mv.Parameter(np.ones(3))
    for x in (w, w * 2):
        with pytest.raises(MisuseError, match=r"write x.detach\(\)"):
            np.from_dlpack(x)
        assert np.from_dlpack(x.detach()).shape == (3,)


def test_values_do_not_leave_a_step_that_is_recorded():
    with pytest.raises(InputError, match="step"):
        mv.compile(lambda x: mv.sum(x) * np.from_dlpack(x).sum())(mv.ones(3))


class Elsewhere:
    """An array on a device that no backend has."""

    def __dlpack_device__(self):
        return 9, 0

    def __dlpack__(self, **_):
        raise BufferError("cannot be read from here")


class Refusing(Elsewhere):
    """One on the CPU that cannot be exported, as PyTorch says of what requires gradients."""

    def __dlpack_device__(self):
        return 1, 0

    def __dlpack__(self, **_):
        raise RuntimeError("use tensor.detach()")


@pytest.mark.parametrize("value", [None, 3, [1.0], "x", Elsewhere(), Refusing()])
def test_what_is_no_array_that_can_be_read_is_refused(value):
    with pytest.raises(InputError, match=r"^x is .*; expected an array") as found:
        mv.from_dlpack(value)
    assert "\n" not in str(found.value)


def test_a_tensor_of_pytorch_that_requires_gradients_or_that_numpy_has_not():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    for theirs in (torch.ones(3, requires_grad=True), torch.ones(3, dtype=torch.bfloat16)):
        with pytest.raises(InputError, match="expected an array of numbers"):
            mv.from_dlpack(theirs)


@pytest.mark.gpu
def test_on_a_gpu_nothing_is_copied():
    cupy = pytest.importorskip("cupy")
    values = cupy.arange(6.0).reshape(2, 3)
    x = mv.from_dlpack(values)
    assert x.__dlpack_device__()[0] == 2
    assert x.data.data.ptr == values.data.ptr == cupy.from_dlpack(x).data.ptr
