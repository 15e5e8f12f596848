"""What tests of extreme values share: float32 variables, and gradients that must stay finite."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minivae.autodiff import Tensor, backward, tensor


def float32(*values: float) -> list[Tensor]:
    """A variable of shape (1,) for each value."""
    return [tensor([value], "float32", requires_grad=True) for value in values]


def assert_finite_gradients(output: Tensor, variables: Sequence[Tensor]) -> None:
    for gradient in backward(output, variables):
        assert gradient.dtype == np.float32
        assert np.isfinite(gradient.numpy()).all()
