"""einsum and tensordot: NumPy's values for any subscripts, adjoints, errors that say what is wrong."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minivae.autodiff import einsum, hooked, sum, tensor, tensordot
from minivae.errors import InputError

from .any_shape import assert_linear_map, numbered, repeatable

LENGTHS = {"i": 2, "j": 3, "k": 1, "A": 2, "l": 0}
HIDDEN = (3, 1, 2)  # what "..." may stand for, or its last axes


@st.composite
def notation(draw):
    """Subscripts, with shapes that they fit: repeated letters, "...", lengths of 1 that broadcast."""
    letters = st.sampled_from("ijkAl")
    terms, shapes = [], []
    for _ in range(draw(st.integers(1, 4))):
        term = draw(st.lists(letters, max_size=3))
        repeated = {x for x in term if term.count(x) > 1}
        shape = [LENGTHS[x] if x in repeated or draw(st.integers(0, 5)) else 1 for x in term]
        at = draw(st.none() | st.integers(0, len(term)))
        if at is not None:
            hidden = HIDDEN[draw(st.integers(0, len(HIDDEN))) :]
            shape[at:at] = [n if draw(st.integers(0, 5)) else 1 for n in hidden]
            term.insert(at, "...")
        terms.append("".join(term))
        shapes.append(tuple(shape))
    subscripts = ",".join(terms)
    if draw(st.booleans()):
        found = sorted(set(subscripts) & LENGTHS.keys())
        result = draw(st.permutations(found))[: draw(st.integers(0, len(found)))]
        result.insert(draw(st.integers(0, len(result))), "..." if "..." in subscripts else "")
        subscripts += "->" + "".join(result)
    return subscripts, shapes


@repeatable
@given(notation())
def test_einsum_is_numpys_in_each_operand(drawn):
    subscripts, shapes = drawn
    arrays = [numbered(shape, i + 1.0) for i, shape in enumerate(shapes)]
    expected = np.einsum(subscripts, *arrays)
    for i, x in enumerate(arrays):
        others = lambda x, i=i: [*arrays[:i], x, *arrays[i + 1 :]]  # noqa: E731
        assert_linear_map(lambda x, others=others: einsum(subscripts, *others(x)), x, expected)


@pytest.mark.parametrize("subscripts", ["ij, jk", " i j,jk -> ki ", "...j,jk->...k", "ij,...k->k...i"])
def test_spaces_and_axes_that_dots_stand_for(subscripts, backend_name):
    a, b = numbered((2, 3)), numbered((3, 4))
    found = einsum(subscripts, *(tensor(x, backend=backend_name) for x in (a, b)))
    np.testing.assert_array_equal(found.numpy(), np.einsum(subscripts, a, b))


def products_of(f, *shapes):
    """The shapes of the results of the matrix products in f."""
    found = []
    with hooked(lambda primitive, inputs, _, output: primitive.kind == "product" and found.append(output.shape)):
        f(*(tensor(np.ones(shape)) for shape in shapes))
    return found


def test_products_are_matrix_products_and_sums_come_first():
    assert products_of(lambda a, b: einsum("ajb,jk->kab", a, b), (2, 3, 4), (3, 5)) == [(8, 5)]
    assert products_of(lambda a, b: einsum("bij,bjk->bik", a, b), (7, 2, 3), (7, 3, 5)) == [(7, 2, 5)]
    assert products_of(lambda a, b: einsum("ij,jk->j", a, b), (2, 3), (3, 5)) == []
    assert products_of(lambda a, b: einsum("bi,bi->b", a, b), (7, 3), (7, 3)) == []
    assert products_of(lambda *x: einsum("ij,jk,kl->il", *x), (2, 3), (3, 5), (5, 1)) == [(2, 5), (2, 1)]
    assert products_of(tensordot, (2, 3, 4), (3, 4, 5)) == [(2, 5)]


def test_arrays_take_the_dtype_of_the_first_tensor():
    assert einsum("i,i", tensor([1.0, 2.0]), np.ones(2)).dtype == np.float32
    assert tensordot(np.ones(2), tensor([1.0, 2.0]), 1).dtype == np.float32


@pytest.mark.parametrize(
    ("subscripts", "shapes", "expected"),
    [
        ("ij", [(2, 2), (2, 2)], "as many terms as there are operands, 2"),
        ("", [], "as many terms as there are operands, 0"),
        ("i,", [(2,)], "as many terms as there are operands, 1"),
        ("ij", [(2,)], "1 axes in 'ij', as the operand has"),
        ("i", [(2, 2)], "2 axes in 'i', as the operand has"),
        ("i...j", [(2,)], "1 axes in 'i...j'"),
        ("i.j", [(2, 2)], "letters, ',', '...' once"),
        ("...i...", [(2,)], "letters, ',', '...' once"),
        ("i1", [(2, 2)], "letters, ','"),
        ("é", [(2,)], "letters, ','"),
        ("i->i->i", [(2,)], "letters, ','"),
        ("i->j", [(2,)], "in the result letters of the operands, each once"),
        ("i->ii", [(2,)], "in the result letters of the operands, each once"),
        ("...i->i", [(2, 2)], "'...' in the result, as in the operands"),
        ("ii", [(2, 3)], "one length for 'i', which has 2 and 3"),
        ("ii", [(1, 3)], "one length for 'i', which has 1 and 3"),
        ("ij,j", [(2, 3), (2,)], "one length for 'j', which has 3 and 2"),
        ("...,...", [(2,), (3,)], "one length for an axis of '...', which has 2 and 3"),
    ],
)
def test_subscripts_that_do_not_fit(subscripts, shapes, expected):
    with pytest.raises(InputError) as caught:
        einsum(subscripts, *(tensor(np.ones(shape)) for shape in shapes))
    assert str(caught.value).startswith(f"subscripts is {subscripts!r}; expected {expected}")


def test_subscripts_are_a_text():
    with pytest.raises(InputError, match=r"subscripts is \[0, 1\]; expected a string such as 'ij,jk->ik'"):
        einsum([0, 1], tensor(np.ones((2, 2))))
    with pytest.raises(InputError, match=r"operands\[0\] is 'i'; expected a tensor, an array or a number"):
        einsum("i", "i")


# -------------------------------------------------------------- tensordot


@repeatable
@given(st.data())
def test_tensordot_is_numpys(data):
    shared = data.draw(st.lists(st.integers(0, 3), max_size=2))
    a, b = ([*data.draw(st.lists(st.integers(0, 2), max_size=2)), *shared] for _ in "ab")
    order_a, order_b = (data.draw(st.permutations(range(len(shape)))) for shape in (a, b))
    axes = tuple(
        [order.index(len(shape) - n) for n in range(1, len(shared) + 1)]
        for order, shape in ((order_a, a), (order_b, b))
    )
    a, b = numbered(tuple(a[i] for i in order_a)), numbered(tuple(b[i] for i in order_b), 2.0)
    expected = np.tensordot(a, b, axes)
    assert_linear_map(lambda a: tensordot(a, b, axes), a, expected)
    assert_linear_map(lambda b: tensordot(a, b, axes), b, expected)


@pytest.mark.parametrize("axes", [0, 1, 2, np.int64(1), (2, 0), [[-1, 1], [0, 1]]])
def test_axes_of_tensordot_in_every_form(axes, backend_name):
    a, b = numbered((2, 3, 4)), numbered((4, 3, 2)) if axes != 2 else numbered((3, 4, 2))
    found = tensordot(tensor(a, backend=backend_name), tensor(b, backend=backend_name), axes)
    np.testing.assert_array_equal(found.numpy(), np.tensordot(a, b, axes))


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        (1, r"axes is 1, and a has shape \(2, 3\), b \(2, 3\); expected axes of equal lengths"),
        (3, r"axes is 3, and a has shape \(2, 3\), b \(2, 3\); expected axes of equal lengths"),
        (10**12, r"axes is 1000000000000, and a has shape \(2, 3\), b \(2, 3\); expected axes of equal lengths"),
        (-1, "axes is -1; expected an integer of at least 0"),
        ("ij", "axes is 'i'; expected an integer, or several"),
        (([0], [0, 1]), r"axes is \(\[0\], \[0, 1\]\), and a has shape"),
        (([0, 0], [0, 0]), r"axes is \[0, 0\]; expected each axis once"),
        ((0, 2), "axes is 2; expected axes of a tensor with 2 dimensions"),
        (None, "axes is None; expected an integer"),
    ],
)
def test_axes_that_do_not_fit(axes, message):
    x = tensor(np.ones((2, 3)))
    with pytest.raises(InputError, match=message):
        tensordot(x, x, axes)


def test_more_axes_than_there_are():
    with pytest.raises(InputError, match=r"axes is 3, and a has shape \(2, 3\), b \(3, 2, 3\); expected"):
        tensordot(tensor(np.ones((2, 3))), np.ones((3, 2, 3)), 3)


def test_the_sum_of_everything():
    x = tensor(numbered((2, 3)))
    assert einsum("ij,ij", x, x).item() == sum(x * x).item() == tensordot(x, x).item()
