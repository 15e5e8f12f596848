"""A run is a folder: its configuration, its history and its checkpoint."""

from .checkpoint import load_checkpoint, save_checkpoint
from .description import description
from .history import History
from .pace import Pace
from .run import Run
