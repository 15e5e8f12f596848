"""Modules: which tensors are found, in which order, and how state is saved and put back."""

import numpy as np
import pytest

from minivae import backend
from minivae.autodiff import Parameter, Tensor, tensor
from minivae.errors import InputError
from minivae.nn import MLP, Linear, Module


class Leaf(Module):
    def __init__(self, *shape, backend_name=None):
        self.running = tensor(np.zeros(shape, np.float32), backend=backend_name)
        self.scale = Parameter(backend.asarray(np.ones(shape, np.float32), backend=backend_name))


class Tree(Module):
    """Every kind of attribute, in an order that is not alphabetical."""

    def __init__(self, backend_name=None):
        self.zeta = Parameter(backend.asarray(np.arange(3.0, dtype=np.float32), backend=backend_name))
        self.leaves = [Leaf(2, backend_name=backend_name), Leaf(2, 2, backend_name=backend_name)]
        self.name, self.size, self.nothing = "tree", 3, None
        self.alpha = Leaf(backend_name=backend_name)
        self.pair = (Parameter(backend.asarray([1.0], backend=backend_name)), [Leaf(1, backend_name=backend_name)])


STATE = [
    "zeta",
    *("leaves.0.running", "leaves.0.scale", "leaves.1.running", "leaves.1.scale"),
    *("alpha.running", "alpha.scale"),
    *("pair.0", "pair.1.0.running", "pair.1.0.scale"),
]


def other_state(module):
    """Values of the right shapes, all different from the module's own."""
    return {name: value.numpy() + i + 1 for i, (name, value) in enumerate(module.named_tensors())}


def assert_states_equal(a, b):
    assert list(a) == list(b)
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)


# ------------------------------------------------------------------ what is found


def test_state_is_in_order_of_assignment():
    assert list(Tree().state_dict()) == STATE


def test_untrained_tensors_are_state_but_not_parameters():
    tree = Tree()
    assert [name for name, _ in tree.named_parameters()] == [name for name in STATE if "running" not in name]
    assert all(isinstance(p, Parameter) and p.requires_grad for p in tree.parameters())
    assert not tree.alpha.running.requires_grad


def test_a_later_attribute_comes_last_and_a_replaced_one_keeps_its_place():
    tree = Tree()
    tree.extra = Parameter(np.zeros(1, np.float32))
    tree.zeta = Parameter(np.zeros(3, np.float32))
    assert list(tree.state_dict()) == [*STATE, "extra"]


def test_a_shared_parameter_is_trained_once_but_saved_under_each_name():
    tied = Module()
    tied.encoder = Linear(2, 2, backend.generator(0))
    tied.decoder = Linear(2, 2, backend.generator(1))
    tied.decoder.weight = tied.encoder.weight
    assert [name for name, _ in tied.named_parameters()] == ["encoder.weight", "encoder.bias", "decoder.bias"]
    assert list(tied.state_dict()) == ["encoder.weight", "encoder.bias", "decoder.weight", "decoder.bias"]


def test_a_module_without_tensors_has_no_state():
    assert Module().parameters() == []
    assert Module().state_dict() == {}
    Module().load_state_dict({})


# ------------------------------------------------------------ saving, putting back


def test_state_dict_is_a_copy_in_host_memory(backend_name):
    tree = Tree(backend_name)
    state = tree.state_dict()
    assert all(type(value) is np.ndarray for value in state.values())
    for value in state.values():
        value[...] = 99
    assert_states_equal(tree.state_dict(), Tree().state_dict())


def test_round_trip_into_the_existing_arrays(backend_name):
    tree = Tree(backend_name)
    arrays = [value.data for _, value in tree.named_tensors()]
    state = other_state(tree)
    tree.load_state_dict(state)
    assert_states_equal(tree.state_dict(), state)
    assert all(value.data is array for (_, value), array in zip(tree.named_tensors(), arrays, strict=True))


def test_loading_copies():
    tree = Tree()
    state = other_state(tree)
    tree.load_state_dict(state)
    state["zeta"][...] = 99
    assert not (tree.zeta.numpy() == 99).any()


def test_a_state_moves_between_backends_and_models(backend_name):
    def mlp(seed, where):
        return MLP((3, 4, 2), backend.generator(seed, "numpy"), backend=where)

    source, target = mlp(1, backend_name), mlp(2, "numpy")
    x = np.ones((2, 3), np.float32)
    target.load_state_dict(source.state_dict())
    np.testing.assert_allclose(
        target(x).numpy(), source(backend.asarray(x, backend=backend_name)).numpy(), rtol=1e-6, atol=1e-6
    )


def test_loading_keeps_the_dtype_and_takes_lists_and_device_arrays(backend_name):
    leaf = Leaf(2, backend_name=backend_name)
    leaf.load_state_dict({"running": [1, 2], "scale": backend.asarray(np.array([0.5, 1.5]), backend=backend_name)})
    assert leaf.running.dtype == leaf.scale.dtype == np.float32
    np.testing.assert_array_equal(leaf.running.numpy(), [1, 2])
    np.testing.assert_array_equal(leaf.scale.numpy(), [0.5, 1.5])


def test_the_error_lists_every_fault_and_nothing_changes():
    tree = Tree()
    before = tree.state_dict()
    state = other_state(tree)
    del state["zeta"], state["alpha.scale"]
    state |= {"extra": np.zeros(1), "more.extra": np.zeros(2)}
    state |= {"leaves.0.scale": np.zeros(3), "leaves.1.running": np.zeros((2, 1))}
    with pytest.raises(InputError) as error:
        tree.load_state_dict(state)
    assert str(error.value) == (
        "state does not fit Tree: missing zeta; missing alpha.scale; unexpected extra; unexpected more.extra; "
        "leaves.0.scale has shape (3,), expected (2,); leaves.1.running has shape (2, 1), expected (2, 2); "
        "expected what its state_dict() gives"
    )
    assert_states_equal(tree.state_dict(), before)


def test_a_scalar_is_not_broadcast_over_an_array():
    with pytest.raises(InputError, match=r"scale has shape \(\), expected \(2,\)"):
        Leaf(2).load_state_dict({"running": np.zeros(2), "scale": 1.0})


def test_a_value_that_is_no_array_changes_nothing_either():
    leaf = Leaf()
    with pytest.raises(InputError, match="expected an array"):
        leaf.load_state_dict({"running": 1.0, "scale": "one"})
    assert leaf.running.item() == 0


def test_tensors_are_found_whatever_their_class():
    class Buffer(Tensor):
        pass

    module = Module()
    module.buffer = Buffer(np.zeros(2))
    assert list(module.state_dict()) == ["buffer"]


def test_complex_numbers_are_no_state():
    tree = Tree()
    state = {name: array * 1j for name, array in tree.state_dict().items()}
    with pytest.raises(InputError, match=r"state\['[\w.]+'\] has dtype complex64; expected real numbers"):
        tree.load_state_dict(state)
