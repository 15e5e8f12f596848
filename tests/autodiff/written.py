"""The check of ``out``, which a recorded step relies on to write results where they belong."""

import numpy as np

from minivae import backend
from minivae.autodiff import PRIMITIVES


def require_written_in_place(name, inputs, attributes, backend_name):
    """The values of a primitive are the same when they are written over its first input."""
    arrays = [backend.asarray(np.full(3, x), backend=backend_name) for x in inputs]
    xp = backend.xp_of(*arrays)
    expected = backend.to_numpy(PRIMITIVES[name].value(xp, *arrays, **attributes))
    PRIMITIVES[name].value(xp, *arrays, out=arrays[0], **attributes)
    np.testing.assert_array_equal(backend.to_numpy(arrays[0]), expected)
