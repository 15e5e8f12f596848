"""Backends: which one an array lives in, making arrays and noise, moving them.

NumPy is always there; CuPy is imported only when asked for. An array *knows* its
backend: an operation takes the functions of its inputs' backend (:func:`xp_of`), so two
models on two backends live side by side in one process. A default says only where
*new* arrays are made. In order of precedence it is set by

1. an argument (``backend="cupy"``),
2. ``with backend.using("cupy"):`` (this thread only),
3. ``backend.use("cupy")``,
4. the environment variable ``MINIVAE_BACKEND``,
5. ``"numpy"``.
"""

from .arrays import (
    DTYPES,
    asarray,
    backend_of,
    describe,
    float_dtype,
    from_dlpack,
    get_backend,
    is_array,
    names,
    number_dtype,
    register,
    synchronize,
    to_numpy,
    use,
    using,
    xp_of,
)
from .numpy import Backend
from .random import Generator, generator, no_direct_draws, refuses_direct_draws, require_generator
