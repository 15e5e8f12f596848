"""Inference beyond the encoder: estimates of the marginal likelihood, and other ways to learn."""

from .importance import LogLikelihood, log_likelihood
from .wake_sleep import WakeSleep
