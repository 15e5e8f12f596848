"""``compile``: a training step recorded once and replayed from then on."""

from .step import CompiledStep, compile
