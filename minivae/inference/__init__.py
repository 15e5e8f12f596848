"""Inference beyond the encoder: sampling the posterior, the marginal likelihood, and other ways to learn."""

from . import hmc
from .ais import Annealing, Sandwich, sandwich
from .diagnostics import active_units, effective_sample_size, mean_correlation
from .importance import LogLikelihood, log_likelihood
from .joint import log_joint
from .mcem import MonteCarloEM
from .posterior_density import density_log_likelihood
