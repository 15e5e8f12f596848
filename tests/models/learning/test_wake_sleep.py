"""Wake-sleep: what each phase minimises, what it moves, and that the two together learn."""

import numpy as np
import pytest

from minivae import backend
from minivae.autodiff import backward, tensor
from minivae.datasets import Dataset, Split
from minivae.errors import InputError
from minivae.gradcheck import check_gradients
from minivae.models import MODELS, VAE, Batch, WakeSleep
from minivae.training import Settings, Trainer, evaluate

from ...chance import CRITICAL_Z, assert_mean
from ...linear_gaussian import LinearGaussian
from ...training.conftest import assert_same_state
from ..kinds import DATA_DIM, EVERY_KIND, HIDDEN, KINDS, LATENT_DIM, M, data, noise, small_vae


def small_wake_sleep(kind="bernoulli", **options):
    model = WakeSleep(DATA_DIM, LATENT_DIM, HIDDEN, **KINDS[kind] | options)
    model.load_state_dict(small_vae(kind, dtype=options.get("dtype")).state_dict())
    return model


def drawn(rng, samples=1, m=M):
    return {"z": noise(rng, samples), "dream_z": noise(rng, m=m)[0], "dream_x": rng.uniform(size=(m, DATA_DIM))}


@EVERY_KIND
@pytest.mark.parametrize("estimator", ["A", "B"])
def test_the_gradients_of_both_phases_are_those_of_differences(kind, estimator, rng):
    model = small_wake_sleep(kind, estimator=estimator, dtype="float64")
    batch, fixed = Batch(tensor(data(rng))), drawn(rng, samples=2)
    for phase in (0, 1):
        parameters = model.phases(batch, fixed)[phase].parameters
        check_gradients(lambda *_, i=phase: model.phases(batch, fixed)[i].loss, parameters, order=2)


@EVERY_KIND
def test_the_wake_phase_raises_log_p_of_x_and_z(kind, rng):
    """Its gradient is that of -log p(x|z) - log p(z) at the z that the encoder gives, by decoder weights alone."""
    model, x, fixed = small_wake_sleep(kind, dtype="float64"), tensor(data(rng)), drawn(rng)
    (wake, _), z = model.phases(Batch(x), fixed), model.posterior(x).sample(fixed["z"]).detach()
    joint = -(model.likelihood(z).log_prob(x) + model.prior().log_prob(z)).mean()
    for found, expected in zip(
        backward(wake.loss, wake.parameters), backward(joint, model.decoder.parameters()), strict=True
    ):
        np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-12, atol=1e-12)


def test_its_bound_is_estimator_a(rng):
    model, x, fixed = small_wake_sleep(dtype="float64"), tensor(data(rng)), drawn(rng)
    terms = model.phases(Batch(x), fixed)[0].terms
    expected = small_vae(estimator="A", dtype="float64").bound(x, fixed["z"])
    for name, value in zip(("bound", "reconstruction", "kl"), expected, strict=True):
        np.testing.assert_allclose(terms[name].item(), value.numpy().mean(), rtol=1e-12)


def test_the_sleep_phase_sees_bits_and_not_their_probabilities(rng):
    """Uniform noise of 0 makes every bit 1, of 1 every bit 0: the loss is that of those dreams."""
    model, fixed = small_wake_sleep(dtype="float64"), drawn(rng)
    for level, bit in ((0.0, 1.0), (1.0, 0.0)):
        sleep = model.sleep(M, {"dream_z": fixed["dream_z"], "dream_x": np.full((M, DATA_DIM), level)})
        expected = -model.posterior(np.full((M, DATA_DIM), bit)).log_prob(fixed["dream_z"]).mean()
        np.testing.assert_allclose(sleep.loss.item(), expected.item(), rtol=1e-12)


@pytest.mark.parametrize("kind", ["gaussian", "unbounded"])
def test_gaussian_dreams_are_draws_too(kind, rng):
    model, fixed = small_wake_sleep(kind, dtype="float64"), drawn(rng)
    p = model.likelihood(fixed["dream_z"])
    x = p.mean.numpy() + p.stddev.numpy() * fixed["dream_x"]
    expected = -model.posterior(x).log_prob(fixed["dream_z"]).mean()
    found = model.sleep(M, {name: fixed[name] for name in ("dream_z", "dream_x")})
    np.testing.assert_allclose(found.loss.item(), expected.item(), rtol=1e-12)


def test_dreams_come_from_the_prior(rng):
    """The sleep loss of a generator's dreams is, on average, the expectation over p(z) and p(x|z)."""
    model = small_wake_sleep(dtype="float64")
    generator = backend.generator(1)
    found = np.array([model.sleep(200, generator).loss.item() for _ in range(200)])
    z = tensor(rng.standard_normal((40_000, LATENT_DIM)))
    x = (rng.uniform(size=(40_000, DATA_DIM)) < model.decode(z).numpy()).astype(float)
    expected = -model.posterior(x).log_prob(z).numpy()
    assert_mean(found, expected.mean())
    # The sd of 200 has a spread of 5%.
    np.testing.assert_allclose(found.std() * np.sqrt(200), expected.std(), rtol=CRITICAL_Z * 0.05)


@EVERY_KIND
def test_each_phase_moves_only_its_own_parameters(kind, rng):
    model = small_wake_sleep(kind)
    wake, sleep = model.phases(Batch(tensor(data(rng))), backend.generator(0))
    assert list(map(id, wake.parameters)) == list(map(id, model.decoder.parameters()))
    assert list(map(id, sleep.parameters)) == list(map(id, model.encoder.parameters()))
    assert all((g.numpy() == 0).all() for g in backward(sleep.loss, model.decoder.parameters(), retain_graph=True))
    assert all(np.abs(g.numpy()).max() > 0 for g in backward(sleep.loss, sleep.parameters))


def few(rng, rows=40):
    split = Split(rng.uniform(size=(rows, DATA_DIM)).astype(np.float32))
    return Dataset("made", split, split, None, 1.0, "the same rows")


@EVERY_KIND
def test_a_compiled_run_is_an_eager_one_and_goes_on_from_a_checkpoint(kind, rng):
    """Bit for bit; so the trainer needs to know nothing of wake-sleep."""
    dataset, runs = few(rng), []
    for compile in (True, False):
        settings = {"batch_size": 10, "optimizer": "adagrad", "weight_prior": True, "epochs": 9, "compile": compile}
        trainer = Trainer(small_wake_sleep(kind), dataset, Settings(**settings))
        for _ in range(6):
            trainer.train_step()
        trainer.report()
        resumed = Trainer(small_wake_sleep(kind), dataset, Settings(**settings))
        resumed.load_state(*trainer.state())
        for run in (trainer, resumed):
            for _ in range(6):
                run.train_step()
        assert_same_state(resumed, trainer)
        runs.append(trainer)
    object.__setattr__(runs[1].settings, "compile", True)
    assert_same_state(*runs)
    assert [type(optimizer).__name__ for optimizer in trainer.optimizers] == ["Adagrad", "Adagrad"]


def test_it_learns_probabilistic_pca(rng):
    """Linear networks on bench P, whose posterior they can express: the bound comes to mean log p(x).

    Measured with five seeds of data and model: 0.000 to 0.005 nats below. No sampling is in it: where the
    posterior is exact, so is every sample's bound.
    """
    bench = LinearGaussian(rng)
    train, test = (Split(bench.data(rng, n).astype(np.float32)) for n in (20_000, 2000))
    dataset = Dataset("bench P", train, test, None, 1.0, "made")
    model = WakeSleep(6, 3, (), likelihood="gaussian", init="paper", seed=1)
    settings = Settings(epochs=15, batch_size=100, lr=0.02, schedule="exponential")
    trainer = Trainer(model, dataset, settings)
    before = evaluate(model, trainer.test)["bound"]
    while trainer.step < trainer.total_steps:
        trainer.train_step()
    exact = bench.log_marginal(test.images).mean()
    assert before < exact - 1
    assert exact - 0.01 < evaluate(model, trainer.test)["bound"] < exact + 0.001


def test_it_is_a_model_like_the_others():
    assert MODELS["wake-sleep"] is WakeSleep
    model = WakeSleep(6, 2, (4,), seed=3)
    assert model.config == {**VAE(6, 2, (4,)).config, "estimator": "A"}
    assert WakeSleep(**model.config, seed=3).state_dict().keys() == model.state_dict().keys()
    with pytest.raises(InputError, match="estimator is 'C'"):
        WakeSleep(6, estimator="C")
