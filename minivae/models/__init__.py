"""Models: the paper's, and a file for each variant."""

from .model import Batch, Model, Objective
from .vae import VAE

MODELS: dict[str, type[Model]] = {"vae": VAE}
