"""A model as scikit-learn has them: ``fit``, ``transform``, ``score``, in a Pipeline and a GridSearchCV.

The one file that needs scikit-learn, and ``import minivae`` does without: ``from minivae.estimator import VAE``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any
from zlib import crc32

import numpy as np

from . import backend, models
from .autodiff import Tensor, concatenate, no_grad
from .checks import instance, known_names, one_of, positive_integer
from .datasets import Dataset, Split
from .datasets.frames import is_frame, numbers_of
from .datasets.preparation import PREPARATIONS, Preparation
from .errors import InputError, shown
from .inference.each import bound_of_each
from .models import Model, registry
from .models.automatic import for_own, usual_sizes
from .optional import import_optional
from .training import Settings, Trainer, run_to_end
from .training.validation import with_validation

try:
    import_optional("sklearn.base")
    from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
    from sklearn.utils.validation import check_array, check_is_fitted, check_random_state, validate_data
except ImportError as error:
    needs = f"minivae.estimator needs scikit-learn from 1.6 on ({error}): pip install 'minivae[sklearn]'"
    raise ImportError(needs) from error

CHUNK = 500  # rows at a time
DRAWS = 10  # of z for each row that is scored
DIGITS = 4  # of standardized values, behind the point: more may be rounded otherwise in other units
DTYPES: Any = (np.float64, np.float32)  # a model has the first of these that is X's, else the first


class VAE(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """A variational auto-encoder as a scikit-learn estimator: a transformer to codes, and a density to score by.

    Rows are tables of numbers; they go in and come out in their own units, so that no scaler need come before. A
    model of float32 is made for float32, else one of float64. Nothing is set apart but for ``patience``.

    Args:
        latent_dim: the length of a code; 10 if None.
        hidden: the encoder's hidden layers; the decoder has them in reverse.
        likelihood: p(x|z), a name of :class:`minivae.models.VAE`'s or a class of your own; "auto": by the values,
            as ``minivae train`` chooses it.
        prepare: how values become the model's: "none", "unit", "standardize", "log1p", or "auto".
        model: a name of ``minivae.models.MODELS``, or a class of your own.
        options: further arguments of that model, by name.
        epochs: passes over the data; for 100,000 rows in all if None, at least 10 and at most 500.
        batch_size: rows in a minibatch, or all there are if they are fewer.
        lr: the step size; the optimizer's default if None.
        patience: set a tenth of the rows apart, stop when their bound has not risen for so many epochs, and keep the
            best model by it; None to train on all rows for all epochs.
        settings: further settings of the training, by name; see :class:`minivae.training.Settings`.
        random_state: of weights, order and noise; the same number, the same model.

    Attributes:
        model_: the trained :class:`minivae.models.Model`; its preparation is ``model_.preparation``.
        choice_: likelihood and preparation, and why, in words.
        n_iter_: passes over the data.
        n_features_in_, feature_names_in_: as scikit-learn has them.
    """

    def __init__(
        self,
        latent_dim: int | None = None,
        hidden: Sequence[int] = (200,),
        *,
        likelihood: Any = "auto",
        prepare: str = "auto",
        model: Any = "vae",
        options: Mapping[str, Any] | None = None,
        epochs: int | None = None,
        batch_size: int = 100,
        lr: float | None = None,
        patience: int | None = None,
        settings: Mapping[str, Any] | None = None,
        random_state: Any = None,
    ) -> None:
        self.latent_dim, self.hidden = latent_dim, hidden
        self.likelihood, self.prepare = likelihood, prepare
        self.model, self.options = model, options
        self.epochs, self.batch_size, self.lr = epochs, batch_size, lr
        self.patience, self.settings = patience, settings
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> VAE:
        """Train on ``X``, ``(N, D)`` numbers or a data frame; ``y`` is not looked at.

        Raises:
            InputError: an argument of the constructor is of a wrong kind, or does not suit the rows.
        """
        least = 1 if self.patience is None else 2  # one to train on, one to wait for
        dataset = self._begin(self._looked_at(X, ensure_min_samples=least))
        epochs = usual_sizes(len(dataset.train))["epochs"] if self.epochs is None else self.epochs
        if self.patience is not None:
            dataset = with_validation(dataset, self._seed, self.model_.least_points)
        return self._train(dataset, positive_integer("epochs", epochs), self.patience)

    def partial_fit(self, X: Any, y: Any = None) -> VAE:
        """Train on ``X`` for one pass, from where the last call left off: weights, and the optimizer's moments.

        The first rows decide on likelihood and preparation, so there should be enough of them to tell a column's mean
        and spread. What changes with the length of a training (some ``settings``) does so in each call; ``epochs``
        and ``patience`` are of :meth:`fit`.

        Raises:
            InputError: as :meth:`fit`; or ``X`` has a value that the likelihood chosen at first does not have.
        """
        if not hasattr(self, "model_"):
            return self._train(self._begin(self._looked_at(X)), 1)
        return self._train(_dataset(self._rows(X), self.model_.preparation), 1)

    def transform(self, X: Any) -> np.ndarray:
        """The codes of rows, ``(N, D)`` -> ``(N, latent_dim)``: the means of q(z|x)."""
        return _in_chunks(lambda x: self.model_.encode(x).numpy(), self._rows(X))

    def inverse_transform(self, X: Any) -> np.ndarray:
        """What codes stand for, ``(N, latent_dim)`` -> ``(N, D)`` in the data's own units: the means of p(x|z)."""
        check_is_fitted(self)
        codes = check_array(X, dtype=DTYPES, input_name="X")
        if codes.shape[1] != self.model_.latent_dim:
            raise InputError(f"X has {codes.shape[1]} columns; expected {self.model_.latent_dim}, the length of a code")
        return _in_chunks(lambda z: self.model_.decode(z).numpy(), codes)

    def score_samples(self, X: Any) -> np.ndarray:
        """The bound on log p(x) of each row, ``(N,)``, in nats of the data's own units (with the Jacobian).

        The model's own bound (of an IWAE its), estimated with about ``DRAWS`` draws of z by noise that belongs to the
        row, so that its number is the same in whatever company. Models of other preparations can be compared by it.
        Nearer to log p(x) is :func:`minivae.inference.log_likelihood` of ``model_``.

        Raises:
            InputError: a value that the likelihood does not have, or a model that bounds nothing.
        """
        rows = self._rows(X)
        if self.model_.no_log_likelihood or not isinstance(self.model_, models.VAE):
            why = self.model_.no_log_likelihood or "it has no bound of each row"
            raise InputError(f"model is {shown(self.model)}; expected one that bounds log p(x): {why}")
        return _in_chunks(self._bounds, rows)

    def score(self, X: Any, y: Any = None) -> float:
        """The mean of :meth:`score_samples`: the larger, the better the model explains the rows."""
        return float(self.score_samples(X).mean())

    def sample(self, n_samples: int = 1, random_state: Any = None) -> np.ndarray:
        """Rows that the model makes up, ``(n_samples, D)`` in the data's own units.

        They are means of p(x|z), z from the prior, as :meth:`minivae.models.Model.sample` draws them.
        """
        check_is_fitted(self)
        noise = backend.generator(_seed_of(random_state), self._backend)
        return self.model_.sample(noise, positive_integer("n_samples", n_samples)).numpy()

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn may expect: codes are of the type of ``X``, float32 or float64."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    # ---------------------------------------------------------------- training

    def _begin(self, X: np.ndarray) -> Dataset:
        """Choose what is left open, and make a model in the place of what was trained before."""
        self._seed, self._moments, self.n_iter_ = _seed_of(self.random_state), [], 0
        kind = self._class()
        said = self._said(kind)
        dataset = _dataset(X, columns=getattr(self, "feature_names_in_", None))
        prepare = one_of("prepare", self.prepare, ("auto", *PREPARATIONS))
        chosen = for_own(dataset, {**said, "prepare": prepare})
        self.choice_ = chosen["why"]
        usual = {**usual_sizes(len(X)), **chosen}
        of_run = {"seed": self._seed, "dtype": X.dtype.name}
        arguments = {name: usual[name] for name in registry.options(kind) if name in usual} | said
        arguments |= {name: value for name, value in of_run.items() if name in registry.arguments(kind)}
        self.model_ = kind(data_dim=X.shape[1], **arguments)
        if self.model_.no_codes:
            raise InputError(f"model is {shown(self.model)}, but {self.model_.no_codes}; expected one with codes")
        return dataset.prepared(chosen["prepare"])

    def _class(self) -> type[Model]:
        kind = self.model
        if not (isinstance(kind, type) and issubclass(kind, Model)):
            kind = registry.named(instance("model", kind, str, "a name, or a class of a model"))[1]
        if "context_dim" in registry.arguments(kind):
            raise InputError(f"model is {shown(self.model)}, which is told labels; expected one that is told nothing")
        if "sequence_length" in registry.arguments(kind):
            raise InputError(f"model is {shown(self.model)}, but it is for sequences; expected one for rows of a table")
        return kind

    def _said(self, kind: type[Model]) -> dict[str, Any]:
        """The arguments of the model that were given."""
        options = instance("options", {} if self.options is None else self.options, Mapping, "arguments by name")
        said: dict[str, Any] = {"hidden": self.hidden}
        if self.latent_dim is not None:
            said["latent_dim"] = self.latent_dim
        if not (isinstance(self.likelihood, str) and self.likelihood == "auto"):
            said["likelihood"] = self.likelihood
        said |= options
        known_names(kind.__name__, said, registry.options(kind))
        return said

    def _train(self, dataset: Dataset, epochs: int, patience: int | None = None) -> VAE:
        """Some passes more, with the moments that the optimizers were left with."""
        size = min(positive_integer("batch_size", self.batch_size), len(dataset.train))
        given = instance("settings", {} if self.settings is None else self.settings, Mapping, "settings by name")
        own = {"epochs": epochs, "batch_size": size, "lr": self.lr, "patience": patience}
        own |= {"seed": self._seed + self.n_iter_, "report_every": epochs if patience is None else 1}
        known_names("settings", given, [field.name for field in fields(Settings) if field.name not in own])
        trainer = Trainer(self.model_, dataset, Settings(**own, **given))
        if self._moments:
            for optimizer, moments in zip(trainer.optimizers, self._moments, strict=True):
                optimizer.load_state_dict(moments)
        run_to_end(trainer, progress=False)
        trainer.take_best()
        self._moments = [optimizer.state_dict() for optimizer in trainer.optimizers]
        self.n_iter_ += trainer.epoch
        return self

    # --------------------------------------------------------- the trained model

    @property
    def _n_features_out(self) -> int:
        return self.model_.latent_dim

    @property
    def _backend(self) -> str:
        return backend.backend_of(self.model_.parameters()[0].data).name

    def _rows(self, X: Any) -> np.ndarray:
        """Rows for the trained model, looked at as those that it was trained on."""
        check_is_fitted(self)
        return self._looked_at(X, reset=False)

    def _looked_at(self, X: Any, **options: Any) -> np.ndarray:
        if is_frame(X):
            numbers_of("X", X)  # names the columns without numbers
        return np.asarray(validate_data(self, X, dtype=DTYPES, **options))

    def _bounds(self, x: np.ndarray) -> np.ndarray:
        """The mean of some estimates of each row's bound, each from as many draws as in training."""
        draws, preparation = self.model_.draws, self.model_.preparation
        noise = self._noise(x, draws * max(1, DRAWS // draws))
        parts = [noise[start : start + draws] for start in range(0, len(noise), draws)]
        values = [bound_of_each(self.model_, x, part)["bound"].numpy().astype(np.float64) for part in parts]
        return np.mean(values, axis=0) + (0.0 if preparation is None else preparation.log_jacobian(x))

    def _noise(self, x: np.ndarray, draws: int) -> Tensor:
        """Noise for so many draws of z for each row, ``(draws, M, latent_dim)``, seeded by what the row holds."""
        preparation, seen = self.model_.preparation, x
        if preparation is not None and not preparation.takes_logarithms:
            seen = np.round(preparation.apply(x), DIGITS)  # the same, whatever the units are
        seeds = [crc32(row.tobytes(), self._seed) for row in seen + 0.0]  # -0.0 and 0.0 are one number
        with no_grad():
            q = self.model_.posterior(self.model_.prepared(x[:1]))
            return concatenate([q.draw_noise(backend.generator(s, self._backend), (draws,)) for s in seeds], axis=1)


def _seed_of(random_state: Any) -> int:
    try:
        return int(check_random_state(random_state).randint(np.iinfo(np.int32).max // 2))
    except Exception as error:  # a ValueError, or that of a value that cannot be shown
        expected = "None, an integer from 0 on or a numpy.random.RandomState"
        raise InputError(f"random_state is {shown(random_state)}; expected {expected}") from error


def _dataset(X: np.ndarray, preparation: Preparation | None = None, columns: Any = None) -> Dataset:
    """All rows to train on. A data set has a test part, of which nothing is asked here: the same rows."""
    names = None if columns is None else tuple(columns)
    return Dataset("X", Split(X), Split(X), None, 1.0, "all rows train", columns=names, preparation=preparation)


def _in_chunks(f: Callable[[np.ndarray], np.ndarray], rows: np.ndarray) -> np.ndarray:
    return np.concatenate([f(rows[start : start + CHUNK]) for start in range(0, len(rows), CHUNK)])
