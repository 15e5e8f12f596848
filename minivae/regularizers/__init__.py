"""Regularizers of the aggregate posterior q(z) = E_x[q(z|x)]: of a whole minibatch of codes; and critics' losses."""

from .aggregate_posterior import WEIGHTINGS, Split, log_aggregate, log_ratios, log_weights, split_kl
from .balance import kl_balance
from .covariance import covariance, covariance_of, moments, off_identity
from .density_ratio import critic_loss, density_ratio, fooling_loss
from .mmd import KERNELS, mmd
from .sliced import random_directions, sliced_wasserstein
from .total_correlation import permute_columns

__all__ = [
    "KERNELS",
    "WEIGHTINGS",
    "Split",
    "covariance",
    "covariance_of",
    "critic_loss",
    "density_ratio",
    "fooling_loss",
    "kl_balance",
    "log_aggregate",
    "log_ratios",
    "log_weights",
    "mmd",
    "moments",
    "off_identity",
    "permute_columns",
    "random_directions",
    "sliced_wasserstein",
    "split_kl",
]
