"""Training: Algorithm 1, evaluation, history, checkpoints, run folders."""

from .checkpoint import load_checkpoint, save_checkpoint
from .evaluate import evaluate
from .feed import BINARIZE, Feed
from .fit import fit, run_to_end
from .history import History
from .run import Run
from .schedules import SCHEDULES
from .settings import Settings
from .trainer import Trainer
