"""Training: Algorithm 1, the minibatches, schedules and evaluation."""

from .callbacks import Callback, CSVLogger, TensorBoard
from .evaluate import evaluate
from .fit import fit, run_to_end
from .minibatches import BINARIZE, Minibatches
from .schedules import SCHEDULES
from .settings import Settings
from .trainer import Trainer
