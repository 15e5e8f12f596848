"""Inference beyond the encoder: estimates of the marginal likelihood."""

from .importance import LogLikelihood, log_likelihood
