"""Capture: when a graph is launched, what it owns, and what is said where there is none.

Every test runs on a device without a GPU (:mod:`tests.doubles.fake_cuda`) and, where there is one, on a GPU.
"""

import logging
from threading import Thread

import numpy as np

import minivae as mv
import minivae.autodiff as ad
from minivae import backend
from minivae.autodiff import PRIMITIVES
from minivae.compiler.cuda import graph as cuda_graph
from minivae.compiler.cuda import replay as replay_cupy
from minivae.errors import BackendError

from ..doubles.cuda import Cuda, kept

X = np.random.default_rng(8).standard_normal((5, 4)).astype("float32")


def test_a_step_is_launched_as_one_graph_from_its_third_call(cuda):
    p = cuda.tensor(X)
    compiled = mv.compile(lambda x: ad.assign(p, ad.exp(x) @ ad.transpose(x) @ x))
    for call, launches in enumerate([0, 0, 1, 2, 3]):
        x = X * np.float32(0.3 * call)
        compiled(cuda.tensor(x))
        np.testing.assert_allclose(p.numpy(), np.exp(x) @ x.T @ x, rtol=2e-5, atol=1e-6)
        assert cuda.launches == launches


def test_what_is_read_late_is_a_graph_of_its_own(cuda):
    compiled = mv.compile(lambda x: ad.sum(ad.sin(ad.max(x, 0))))
    for call in range(5):
        result = compiled(cuda.tensor(X * call))
        if call != 3:  # not read: not computed
            np.testing.assert_allclose(result.item(), np.sin((X * call).max(0)).sum(), rtol=1e-5, atol=1e-6)
    # Main: calls 2, 3, 4. Late: read at calls 1 (warm), 2 (captured) and 4.
    assert cuda.launches == 3 + 2


def test_noise_is_drawn_anew_in_each_launch_from_a_state_that_can_be_put_back(cuda):
    generator = backend.generator(3, cuda.name)
    compiled = mv.compile(
        lambda x: ad.concatenate([x, ad.standard_normal(generator, (5,)), ad.uniform(generator, (4,))])
    )
    draws = []
    for call in range(6):
        if call == 4:
            state = generator.state
        draws.append(compiled(cuda.tensor(X[0])).numpy()[4:])
    assert len({tuple(draw) for draw in draws}) == 6
    generator.state = state
    np.testing.assert_array_equal(compiled(cuda.tensor(X[0])).numpy()[4:], draws[4])
    np.testing.assert_array_equal(compiled(cuda.tensor(X[0])).numpy()[4:], draws[5])
    twin = backend.generator(3, cuda.name)
    for draw in draws:
        eager = [twin.standard_normal((5,)), twin.uniform((4,))]
        np.testing.assert_array_equal(draw, np.concatenate([backend.to_numpy(x) for x in eager]))


def test_temporaries_of_the_graph_are_nobody_elses(cuda):
    """logsumexp makes arrays of its own; after capture their memory must not go to others."""
    state = cuda.tensor(X[:, 0])
    compiled = mv.compile(lambda x: ad.assign(state, ad.logsumexp(x, 1)))
    for _ in range(3):
        compiled(cuda.tensor(X))
    others = [cuda.tensor(np.full(shape, 7, "float32")) for shape in ((5, 1), (5, 4), (5,), (20,)) for _ in range(50)]
    compiled(cuda.tensor(X + 1))
    assert all((other.numpy() == 7).all() for other in others)
    np.testing.assert_allclose(state.numpy(), np.log(np.exp(X + 1).sum(1)), rtol=1e-5)


# ---------------------------------------------------- what cannot be captured


def test_a_wait_for_the_device_ends_the_capture_and_nothing_else(cuda, caplog):
    mask = backend.asarray(X > 0, backend=cuda.name)
    p = cuda.tensor(X[0])

    def step(x):
        ad.assign(p, ad.sum(x, 0))
        return ad.sum(x[mask])

    with caplog.at_level(logging.WARNING, "minivae"):
        cuda.assert_runs(step, X, graphs=False)
    (record,) = caplog.records
    assert record.name == "minivae"
    assert "cannot be captured in a CUDA graph and runs call by call (" in record.getMessage()
    cuda.assert_runs(lambda x: ad.sum(x, 0) * 2, X)  # other steps are captured as before


def test_a_copy_from_the_host_is_not_captured(cuda, caplog, monkeypatch):
    """It would be repeated at each launch, from memory that is no longer its own."""
    row = PRIMITIVES["logsumexp"]
    value = lambda xp, x, out=None, **_: xp.add(x[0], xp.asarray(np.ones(4, "float32")), out=out)  # noqa: E731
    monkeypatch.setattr(row, "value", value)
    cuda.assert_runs(kept(lambda x: ad.logsumexp(x, 0)), X, graphs=False)
    (record,) = caplog.records
    assert "RuntimeError" in record.getMessage()  # ours, or CuPy's own
    cuda.assert_runs(kept(lambda x: ad.exp(x) * cuda.tensor(X)), X)  # the allocator is back


def test_other_threads_send_arrays_while_one_captures(cuda):
    xp, found = backend.get_backend(cuda.name).xp, []

    def send():
        thread = Thread(target=lambda: found.append(xp.asarray(X)))
        thread.start()
        thread.join()

    assert cuda_graph.Recorder(xp, lambda stream: None).capture([send]) is not None
    np.testing.assert_array_equal(backend.to_numpy(found[0]), X)


def test_without_a_handle_of_its_own_it_runs_call_by_call_and_says_why_once(fake, monkeypatch, caplog):
    def refuse(xp):
        raise BackendError("cuBLAS refused cublasCreate_v2 with status 1")

    monkeypatch.setattr(replay_cupy, "current_blas", refuse)
    cuda = Cuda("strict", monkeypatch)
    cuda.assert_runs(lambda x: ad.sum(x @ ad.transpose(x) @ x), X, graphs=False)
    (record,) = caplog.records
    assert record.getMessage() == (
        "a compiled step cannot be captured in a CUDA graph and runs call by call "
        "(BackendError: cuBLAS refused cublasCreate_v2 with status 1)"
    )
