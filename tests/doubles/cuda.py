"""A backend with a CUDA side, for tests: the strict device with a fake one, or CuPy on a GPU."""

from __future__ import annotations

import numpy as np

import minivae as mv
import minivae.autodiff as ad
from minivae import backend
from minivae.compiler.cuda import graph as cuda_graph


class Cuda:
    """A backend with a CUDA side.

    Attributes:
        name: of the backend.
        launches: how many graphs have been launched.
    """

    def __init__(self, name, monkeypatch):
        self.name, self.launches = name, 0
        launch = cuda_graph.Launch.__call__

        def counting(graph):
            self.launches += 1
            launch(graph)

        monkeypatch.setattr(cuda_graph.Launch, "__call__", counting)

    def tensor(self, array):
        return ad.Tensor(backend.asarray(array, backend=self.name))

    def assert_runs(self, step, *inputs, rtol=2e-5, atol=1e-5, graphs=True):
        """The results of a step's first calls are right: recorded, warm, captured, launched."""
        compiled, before = mv.compile(step), self.launches
        for scale in np.float32([1, 2, 0.5, -1, 1.5]):
            given = [x * scale if x.dtype.kind == "f" else x for x in inputs]
            found = compiled(*map(self.tensor, given)).numpy()  # before the step, which may assign to the same
            np.testing.assert_allclose(found, step(*map(self.tensor, given)).numpy(), rtol, atol)
        assert (self.launches > before) == graphs
        return compiled


def kept(step):
    """The step with its result assigned to a state, so that it is not put off until it is read."""
    states = {}

    def keeping(*inputs):
        result = step(*inputs)
        state = states.setdefault(result.shape, ad.Tensor(result.xp.zeros(result.shape, dtype=result.dtype)))
        return ad.assign(state, result)

    return keeping
