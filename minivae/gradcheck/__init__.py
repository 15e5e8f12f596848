"""``check_gradients``: the tape against numerical derivatives."""

from .check import GradientReport, check_gradients
