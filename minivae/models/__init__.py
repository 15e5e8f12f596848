"""Models: the paper's, and a file for each variant."""

from .model import Batch, Model, Objective
from .registry import MODELS
from .vae import VAE
