"""Layers: modules with named parameters."""

from .batch_norm import BatchNorm
from .codebook import Codebook
from .init import INITIALIZERS
from .masked import MADE, MaskedLinear
from .mlp import ACTIVATIONS, MLP, Linear, Module
from .mode import training_mode
from .recurrent import GRU, LSTM
from .spectral import SpectralNorms
from .weights import from_torch_state_dict, load_safetensors, save_safetensors, to_torch_state_dict
