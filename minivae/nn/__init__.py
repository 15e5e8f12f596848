"""Layers: modules with named parameters."""

from .batch_norm import BatchNorm, BatchNorm2d
from .blocks import Gated, Residual, SqueezeExcitation
from .codebook import Codebook
from .convolution import Conv2d, ConvTranspose2d
from .dropout import Dropout
from .init import INITIALIZERS
from .masked import MADE, MaskedLinear
from .masked_convolution import MaskedConv2d
from .mlp import ACTIVATIONS, MLP, Linear, Module
from .mode import training_mode
from .normalization import GroupNorm, LayerNorm
from .recurrent import GRU, LSTM
from .spectral import SpectralNorms
from .weight_norm import WeightNormConv2d, WeightNormLinear
from .weights import from_torch_state_dict, load_safetensors, save_safetensors, to_torch_state_dict
