"""Distributions over vectors: sample, log_prob, entropy, mean, and KL in closed form."""

from .bernoulli import Bernoulli
from .distribution import Distribution
from .kl import KL_PAIRS, kl, register_kl
from .normal import Normal, StandardNormal
