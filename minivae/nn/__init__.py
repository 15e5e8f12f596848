"""Layers: modules with named parameters."""

from .batch_norm import BatchNorm, BatchNorm2d
from .codebook import Codebook
from .convolution import Conv2d, ConvTranspose2d
from .init import INITIALIZERS
from .masked import MADE, MaskedLinear
from .masked_convolution import MaskedConv2d
from .mlp import ACTIVATIONS, MLP, Linear, Module
from .mode import training_mode
from .normalization import GroupNorm, LayerNorm
from .recurrent import GRU, LSTM
from .spectral import SpectralNorms
from .weights import from_torch_state_dict, load_safetensors, save_safetensors, to_torch_state_dict
