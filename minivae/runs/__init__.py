"""A run is a folder: its configuration, its history and its checkpoint."""

from .checkpoint import load_checkpoint, save_checkpoint
from .description import description
from .history import History
from .run import Run
