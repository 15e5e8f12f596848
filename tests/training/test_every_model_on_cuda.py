"""Every model on CUDA: captured steps train as eager ones, runs are resumed; what users call is what NumPy gives."""

import numpy as np
import pytest

from minivae import backend
from minivae.datasets import Dataset, Split
from minivae.training import Settings, Trainer
from minivae.training.evaluate import evaluate
from minivae.training.minibatches import Minibatches

from ..doubles.emulation_gaps import emulated
from ..models.members import CLASSES, DATA_DIM, EVERY_MEMBER, member, shaken

STEPS, BATCH, ROWS = 12, 10, 43
# A rounding is magnified where an entry is chosen, or a gradient is near 0 beside Adam's root of its square.
CLOSE = {"float32": {"rtol": 1e-3, "atol": 1e-4}, "float64": {"rtol": 1e-8, "atol": 1e-9}}
# A fake device compiles each kernel anew: minutes in all.
DEVICES = [pytest.param("strict", marks=pytest.mark.slow), pytest.param("cupy", marks=pytest.mark.gpu)]
pytestmark = pytest.mark.parametrize("cuda", DEVICES, indirect=True)
both_dtypes = pytest.mark.parametrize("dtype", CLOSE)


def noise_data():
    rng = np.random.default_rng(0)
    part = Split(rng.uniform(size=(ROWS, DATA_DIM)), rng.integers(0, CLASSES, ROWS))
    return Dataset("noise", part, part, None, 1.0, "the same rows")


def made(cuda, name, dtype):
    options = {"backend": cuda.name, "dtype": dtype}
    return shaken(member(name, **options))


def trainer(cuda, name, dtype, compile):
    settings = Settings(
        epochs=3, batch_size=BATCH, compile=compile, skip_nonfinite=True, optimizer_options={"max_norm": 1.0}
    )
    return Trainer(made(cuda, name, dtype), noise_data(), settings)


def train(run, steps):
    return [{key: float(value) for key, value in run.train_step().items()} for _ in range(steps)]


def assert_same_model(found, expected, dtype):
    for key, value in expected.state_dict().items():
        np.testing.assert_allclose(found.state_dict()[key], value, **CLOSE[dtype], err_msg=key)


@both_dtypes
@EVERY_MEMBER
def test_captured_steps_train_as_eager_ones_and_are_resumed(cuda, name, dtype, caplog):
    if name == "swae" and emulated():
        pytest.skip("its step sorts, which an emulation does on the host: nothing of it can be captured there")
    eager, captured = (trainer(cuda, name, dtype, compile) for compile in (False, True))
    expected, before = train(eager, STEPS), cuda.launches
    found = train(captured, 6)
    resumed = trainer(cuda, name, dtype, True)
    train(resumed, 4)  # its graphs are captured by now, and go on with what is loaded
    resumed.load_state(*captured.state())
    found += train(captured, STEPS - 6)
    assert cuda.launches > before
    for step, (terms, wanted) in enumerate(zip(found, expected, strict=True)):
        assert terms.keys() == wanted.keys()
        for key, value in wanted.items():
            np.testing.assert_allclose(terms[key], value, **CLOSE[dtype], err_msg=f"{key} in step {step}")
    assert_same_model(captured.model, eager.model, dtype)
    train(resumed, STEPS - 6)
    assert_same_model(resumed.model, captured.model, dtype)
    assert captured.skipped == resumed.skipped == 0
    assert not caplog.records


@both_dtypes
@EVERY_MEMBER
def test_what_users_call_gives_what_numpy_gives(cuda, name, dtype):
    model, host = made(cuda, name, dtype), shaken(member(name, dtype=dtype))
    data = noise_data()
    x = data.test.images[:5].astype(dtype)
    labels = np.eye(CLASSES, dtype=dtype)[data.test.labels[:5]]

    def told(model, *arrays):
        arrays = [backend.asarray(a, backend=backend.backend_of(model.parameters()[0].data).name) for a in arrays]
        return arrays if model.context_dim else arrays[:-1]

    for call in ("encode", "reconstruct") if model.latent_dim and not model.no_codes else ():
        found = getattr(model, call)(*told(model, x, labels)).numpy()
        np.testing.assert_allclose(found, getattr(host, call)(*told(host, x, labels)).numpy(), **CLOSE[dtype])
    minibatches = {"dtype": dtype, "classes": model.context_dim}
    terms = evaluate(model, Minibatches(data.test, 1.0, backend=cuda.name, **minibatches), batch_size=20)
    assert terms.keys() == evaluate(host, Minibatches(data.test, 1.0, **minibatches), batch_size=20).keys()
    assert np.isfinite(list(terms.values())).all()
    drawn = model.sample(backend.generator(0, cuda.name), 5, *told(model, labels)[: bool(model.context_dim)])
    assert drawn.shape == (5, DATA_DIM)
    assert drawn.dtype == dtype
    assert np.isfinite(drawn.numpy()).all()
