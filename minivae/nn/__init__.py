"""Layers: modules with named parameters."""

from .codebook import Codebook
from .init import INITIALIZERS
from .masked import MADE, MaskedLinear
from .mlp import ACTIVATIONS, MLP, Linear, Module
from .recurrent import GRU, LSTM
from .weights import from_torch_state_dict, load_safetensors, save_safetensors, to_torch_state_dict
