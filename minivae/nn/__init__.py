"""Layers: modules with named parameters."""

from .init import INITIALIZERS
from .linear import Linear
from .mlp import ACTIVATIONS, MLP
from .module import Module
