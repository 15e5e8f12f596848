"""What holds for every registered model: gradients, compiled steps, the strict device, resuming, samples."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import minivae
from minivae import backend
from minivae.autodiff import tensor
from minivae.compiler import compile
from minivae.datasets import Split, load
from minivae.errors import InputError
from minivae.gradcheck import check_gradients
from minivae.models import MODELS, Batch, Model
from minivae.models.registry import arguments, options
from minivae.training import Minibatches, Settings, Trainer, evaluate

from ..doubles.strict_device import strict
from ..training.conftest import assert_same_state, digits  # noqa: F401 (a fixture)
from .members import CLASSES, EVERY_MEMBER, M, Repeated, batch_for, losses, member, shaken

ROOT = Path(minivae.__file__).parent
LINES = 137  # of a member's file, docstring included


# What users call, by model, minibatch and a generator.
CALLED = {
    "bound": lambda model, batch, g: model.bound(batch.x, g, batch.context),
    "encode": lambda model, batch, _: model.encode(batch.x, batch.context),
    "codes": lambda model, batch, _: model.codes(batch.x),
    "decode": lambda model, batch, _: model.decode(np.zeros((M, max(model.latent_dim, 1))), batch.context),
    "reconstruct": lambda model, batch, _: model.reconstruct(batch.x, batch.context),
    "sample": lambda model, batch, g: model.sample(g, M, batch.context),
}


@EVERY_MEMBER
@pytest.mark.parametrize("what", CALLED)
def test_what_users_call_is_there_or_refused_in_words_of_the_model(name, what, rng):
    model = member(name)
    message = refusal(CALLED[what], model, batch_for(model, rng), Repeated()())
    assert not message or type(model).__name__ in message  # not of a distribution in it
    assert {"KL_PAIRS", "estimator"}.isdisjoint(message.split())


def refusal(call, *arguments):
    """What is said where a call is refused; empty where it is not."""
    try:
        call(*arguments)
    except InputError as error:
        return str(error)
    return ""


# ---------------------------------------------------------------- the registry


@EVERY_MEMBER
def test_a_member_says_what_it_minimises_and_where_it_is_from(name):
    assert MODELS[name].minimises
    assert any(year in MODELS[name].source for year in map(str, range(1990, 2027)))
    assert MODELS[name].__doc__


@EVERY_MEMBER
def test_every_option_has_a_default_and_is_documented(name):
    for option, (default, kind, several, choices, text, own) in options(MODELS[name]).items():
        assert text, f"{option} is not in the docstring"
        assert kind in (int, float, str, bool), option
        values = [None] if default is None else list(default) if several else [default]
        assert all(value is None or isinstance(value, kind) for value in values), option
        assert choices is None or default in choices
        assert own == (option == "likelihood"), option


@EVERY_MEMBER
def test_a_zero_is_a_value_or_refused(name):
    """Never taken for an option that was not given."""
    for option, (_, kind, several, *_) in options(MODELS[name]).items():
        if kind not in (int, float):
            continue
        zero, own = (0,) if several else kind(0), {"likelihood": "gaussian"} if option == "variance" else {}
        try:
            found = member(name, **{option: zero, **own}).config[option]
        except InputError as error:
            found = str(error)
        assert found == zero or {"lambd": "lambda"}.get(option, option) in str(found)


def test_an_option_means_the_same_kind_of_thing_everywhere():
    """The command line has each of them once."""
    kinds = {}
    for model in MODELS.values():
        for option, (_, kind, several, *_) in options(model).items():
            assert kinds.setdefault(option, (kind, several)) == (kind, several), option


def test_a_member_is_one_short_file():
    for model in MODELS.values():
        path = Path(ROOT, *model.__module__.split(".")[1:]).with_suffix(".py")
        if path.name != "vae.py":
            assert len(path.read_text().splitlines()) <= LINES, path


@EVERY_MEMBER
def test_a_model_is_rebuilt_from_its_config(name, rng):
    model = shaken(member(name))
    config = json.loads(json.dumps(model.config))
    assert config.keys() <= arguments(MODELS[name]).keys()
    twin = MODELS[name](**config)
    twin.load_state_dict(model.state_dict())
    assert twin.config == model.config
    batch, noise = batch_for(model, rng), Repeated()
    for ours, theirs in zip(model.phases(batch, noise()), twin.phases(batch, noise()), strict=True):
        assert float(ours.loss) == float(theirs.loss)


# ------------------------------------------------------------------- one step


@EVERY_MEMBER
def test_gradients_of_every_phase(name, rng):
    """Of every parameter, in random directions, against differences of the loss."""
    model = shaken(member(name, dtype="float64"))
    for loss, parameters in losses(model, batch_for(model, rng)):
        check_gradients(loss, parameters, mode="directions", tolerance=1e-5)


@EVERY_MEMBER
def test_phases_train_every_parameter_once(name, rng):
    """But for an encoder that reconstructs in one phase and fools a critic in another."""
    model = member(name)
    phases = model.phases(batch_for(model, rng), Repeated()())
    trained = [id(parameter) for phase in phases for parameter in phase.parameters]
    twice = model.encoder.parameters() if name in ("aae", "labelled-aae") else []
    assert sorted(trained) == sorted(map(id, [*model.parameters(), *twice]))


@EVERY_MEMBER
def test_the_parts_are_what_they_are_called(name, rng):
    """The objective is minus the loss, the bound minus it where there is no objective; the rest finite."""
    model = shaken(member(name))
    first = model.phases(batch_for(model, rng), Repeated()())[0]
    terms = {part: float(value) for part, value in first.terms.items()}
    assert {value.shape for value in first.terms.values()} == {()}
    assert next(iter(terms)) in ("bound", "objective")
    assert terms.get("objective", terms.get("relaxed_bound", terms.get("bound"))) == pytest.approx(-float(first.loss))
    assert np.isfinite(list(terms.values())).all()


# ------------------------------------------------------------------- training


def trainer_of(name, dataset, compiled=True, **options):
    model = member(name, data_dim=64, classes=10, **options)
    return Trainer(model, dataset, Settings(batch_size=50, epochs=10, compile=compiled))


def advanced(trainer, steps):
    for _ in range(steps):
        terms = {part: float(value) for part, value in trainer.train_step().items()}
        if trainer.step % 4 == 0:
            trainer.report()
    return terms


@EVERY_MEMBER
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_compiled_run_has_the_bits_of_an_eager_one(name, dtype, digits):  # noqa: F811
    compiled, eager = (trainer_of(name, digits, on, dtype=dtype) for on in (True, False))
    assert advanced(compiled, 9) == advanced(eager, 9)
    object.__setattr__(eager.settings, "compile", True)
    assert_same_state(compiled, eager)
    assert {array.dtype.name for array in compiled.model.state_dict().values()} == {dtype}


@EVERY_MEMBER
def test_nothing_of_a_step_is_baked_in(name, digits):  # noqa: F811
    """The step of every minibatch does what was recorded at the first one; so does the evaluation."""
    trainer = trainer_of(name, digits)
    evaluate = trainer._evaluations["test"]
    trainer._update = compile(trainer._update.step, check=True)
    evaluate._averages = compile(evaluate._averages.step, check=True)
    for _ in range(2):
        advanced(trainer, 3)
        evaluate()


@EVERY_MEMBER
def test_a_run_is_resumed_exactly(name, digits):  # noqa: F811
    whole, begun, resumed = (trainer_of(name, digits) for _ in range(3))
    advanced(whole, 9)
    advanced(begun, 5)
    resumed.load_state(*begun.state())
    advanced(resumed, 4)
    assert_same_state(resumed, whole)


@EVERY_MEMBER
def test_a_replay_on_the_strict_device_waits_for_nothing(name, digits):  # noqa: F811
    trainer = trainer_of(name, digits, backend="strict")
    for _ in range(2):
        trainer.train_step()
    with strict.counter.forbid_synchronization(), strict.counter.forbid_dtype("float64"):
        trainer.train_step()
    twin = trainer_of(name, digits)
    for _ in range(3):
        twin.train_step()
    for part, value in twin.model.state_dict().items():
        np.testing.assert_allclose(trainer.model.state_dict()[part], value, rtol=1e-4, atol=1e-5)


@EVERY_MEMBER
def test_training_raises_the_objective(name, digits):  # noqa: F811
    same = (
        {"capacity_steps": 10**6} if name in ("disentangled-beta-vae", "joint-vae") else {}
    )  # or it would be another objective
    trainer = trainer_of(name, digits, **same)
    before = trainer.report()
    advanced(trainer, 40)
    after = trainer.history.rows[-1]
    term = "test_objective" if "test_objective" in before else "test_bound"
    assert after[term] > before[term]


SHUFFLES = 8
# How the names of terms end that are estimates from a minibatch, with a bias that belongs to its size.
OF_A_SIZE = ("_mws", "_mss", "sw")


@pytest.fixture(scope="module")
def by_class():
    """All digits' training rows, those of one class after the other."""
    train = load("digits").train
    order = np.argsort(train.labels, kind="stable")
    return Split(train.images[order], train.labels[order])


@EVERY_MEMBER
def test_an_evaluation_does_not_know_how_the_data_are_stored_and_cut(name, by_class):
    """Data in the order of their classes, shuffled, in small minibatches and in large ones give the same numbers.

    What is left between them is chance: noise, draws of the prior, and which points meet in a minibatch.
    Its size is measured over shuffles with noise of their own; 8 know a standard deviation to 27 %.
    An estimate whose bias belongs to a size, and an objective that holds it, are compared at one size.
    """
    model = shaken(member(name, data_dim=64, classes=10, dtype="float64"))
    model.begin(len(by_class), len(by_class))

    def terms(split, batch_size, seed):
        minibatches = Minibatches(split, 16.0, dtype="float64", classes=model.context_dim)
        return evaluate(model, minibatches, batch_size=batch_size, seed=seed)

    for batch_size in (50, 200):
        shuffled = [terms(by_class.sample(len(by_class), seed), batch_size, seed) for seed in range(SHUFFLES)]
        found = terms(by_class, 100 + batch_size, SHUFFLES)
        if any(part.endswith(OF_A_SIZE) for part in found):
            of_a_size = terms(by_class, batch_size, SHUFFLES)
            found |= {part: of_a_size[part] for part in found if part.endswith((*OF_A_SIZE, "objective"))}
        for part, value in found.items():
            values = np.array([row[part] for row in shuffled])
            error = values.std(ddof=1) * np.sqrt(1 + 1 / SHUFFLES)
            assert abs(value - values.mean()) <= 5 * error + 1e-9 * abs(value), part


# Puts the bend of a function of averages where the averages are, so that it is no straight line there.
BENDS = {
    "disentangled-beta-vae": lambda model, terms: model.now.data.fill(terms["kl"]),
    "joint-vae": lambda model, terms: model.now.data.put([0, 1], [terms["continuous_kl"], terms["discrete_kl"]]),
    "iaf-vae": lambda model, terms: setattr(model, "free_bits", terms["kl"] / model.latent_dim),
}


@EVERY_MEMBER
def test_a_part_that_is_no_average_is_that_of_all_data(name, by_class):
    """One minibatch of everything and many small ones: equal noise, so equal numbers but for rounding."""
    model = shaken(member(name, data_dim=64, classes=10, dtype="float64"))
    if type(model).of_means is Model.of_means:
        pytest.skip("its parts are averages over data points or pairs")
    minibatches = Minibatches(by_class.sample(203), 16.0, dtype="float64", classes=model.context_dim)
    if name == "joint-vae":  # whose noise is of two kinds, and comes in another order where data are cut elsewhere
        model.noise = lambda q, *_: tensor(np.full((1, *q.noise_shape), 0.4))
    BENDS.get(name, lambda *_: None)(model, evaluate(model, minibatches))
    whole, cut = (evaluate(model, minibatches, batch_size=n) for n in (203, 10))
    assert cut == pytest.approx(whole, rel=1e-12)
    batches = [minibatches.batch(rows, backend.generator(0)) for rows in minibatches.fixed_order(10)]
    first = [model.phases(batch, backend.generator(0))[0].terms for batch in batches]
    for made in model.of_means(model.phases(batches[0], backend.generator(0))[0].means):
        if made not in first[0]:  # of a part alone
            continue
        apart = np.mean([float(terms[made]) for terms in first]) - whole[made]  # from what it used to be
        assert abs(apart) > 0.01 * min(1.0, abs(whole[made])), made


# ------------------------------------------------------------------ what it is for


@EVERY_MEMBER
def test_samples_reconstructions_and_codes_have_their_shapes(name, rng):
    model = shaken(member(name))
    x, context = batch_for(model, rng)
    told = context if model.context_dim else None
    assert model.sample(backend.generator(0), M, told).shape == (M, model.data_dim)
    if model.no_codes:
        with pytest.raises(InputError, match=model.no_codes.removeprefix("it ")):
            model.encode(x)
        return
    assert model.encode(x, told).shape == (M, model.latent_dim)
    assert model.reconstruct(x, told).shape == (M, model.data_dim)
    if model.num_categories:
        codes = model.codes(x).numpy()
        assert codes.dtype.kind == "i"
        assert 0 <= codes.min() <= codes.max() < model.num_categories
    else:
        with pytest.raises(InputError, match="not discrete"):
            model.codes(x)


@EVERY_MEMBER
def test_a_model_that_is_told_a_label_refuses_to_do_without(name, rng):
    model = member(name)
    if not model.context_dim:
        pytest.skip("it is told none")
    x, _ = batch_for(model, rng)
    with pytest.raises(InputError, match="context is None"):
        model.phases(Batch(x), Repeated()())
    with pytest.raises(InputError, match=f"context_dim={CLASSES}"):
        model.phases(Batch(x, np.eye(CLASSES + 1)[:M]), Repeated()())


@EVERY_MEMBER
def test_a_model_prints_its_sizes_what_is_not_usual_and_its_parameters(name):
    model = member(name)
    said, count = repr(model), sum(parameter.size for parameter in model.parameters())
    assert said.startswith(f"{type(model).__name__}(data_dim={model.data_dim}, ")
    assert said.endswith(f": {count:,} parameters, float32 on numpy")
    assert "\n" not in said
    assert len(said) < 200
    usual = arguments(type(model))
    for argument, value in model.config.items():
        assert (re.search(rf"\b{argument}=", said) is not None) == (
            argument in ("latent_dim", "hidden") or value != usual[argument].default
        )
