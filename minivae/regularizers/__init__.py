"""Regularizers of the aggregate posterior q(z) = E_x[q(z|x)]: of a whole minibatch of codes."""

from .aggregate_posterior import WEIGHTINGS, Split, log_aggregate, log_ratios, log_weights, split_kl
from .covariance import covariance, covariance_of, moments, off_identity
from .mmd import KERNELS, mmd
from .sliced import random_directions, sliced_wasserstein
from .total_correlation import critic_loss, density_ratio, permute_columns

__all__ = [
    "KERNELS",
    "WEIGHTINGS",
    "Split",
    "covariance",
    "covariance_of",
    "critic_loss",
    "density_ratio",
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
