"""Inference beyond the encoder: sampling the posterior, the marginal likelihood, and other ways to learn."""

from . import hmc
from .diagnostics import effective_sample_size
from .importance import LogLikelihood, log_likelihood
from .joint import log_joint
from .wake_sleep import WakeSleep
