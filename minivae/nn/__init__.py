"""Layers: modules with named parameters."""

from .codebook import Codebook
from .init import INITIALIZERS
from .linear import Linear
from .masked import MADE, MaskedLinear
from .mlp import ACTIVATIONS, MLP
from .module import Module
