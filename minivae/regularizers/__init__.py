"""Regularizers of the aggregate posterior q(z) = E_x[q(z|x)]: of a whole minibatch of codes; and critics' losses."""

from .density_ratio import critic_loss, density_ratio, fooling_loss
from .mmd import KERNELS, mmd
from .total_correlation import permute_columns

__all__ = ["KERNELS", "critic_loss", "density_ratio", "fooling_loss", "mmd", "permute_columns"]
