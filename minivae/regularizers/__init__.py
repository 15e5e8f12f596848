"""Regularizers of the aggregate posterior q(z) = E_x[q(z|x)]: of a whole minibatch of codes."""

from .mmd import KERNELS, mmd
from .total_correlation import critic_loss, density_ratio, permute_columns

__all__ = ["KERNELS", "critic_loss", "density_ratio", "mmd", "permute_columns"]
