"""Optimizers: each a rule over a parameter, its gradient and its state."""

from .adagrad import Adagrad
from .adam import Adam
from .adamax import Adamax
from .optimizer import Optimizer, clip_by_norm
from .sgd import SGD

OPTIMIZERS: dict[str, type[Optimizer]] = {"adagrad": Adagrad, "adam": Adam, "adamax": Adamax, "sgd": SGD}
