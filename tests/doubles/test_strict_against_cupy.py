"""The strict device lacks what an installed CuPy lacks. (CuPy imports without a GPU, too.)"""

from __future__ import annotations

import inspect
import operator

import numpy as np
import pytest

from .strict_device import LACKING, LACKING_KEYWORDS, LACKING_KEYWORDS_OF

cupy = pytest.importorskip("cupy", reason="CuPy is not installed")


def test_lacking_names_are_those_that_cupy_lacks():
    public = {name for name in dir(np) if not name.startswith("_")}
    assert {name for name in public if not hasattr(cupy, name)} <= LACKING
    for name in LACKING:
        with pytest.raises(AttributeError):
            operator.attrgetter(name)(cupy)


def test_lacking_keywords_are_those_that_cupy_lacks():
    for name in ("argsort", "broadcast_to", "max", "mean", "sum", "zeros", *LACKING_KEYWORDS_OF):
        lacking = LACKING_KEYWORDS_OF.get(name, LACKING_KEYWORDS)
        assert not lacking & inspect.signature(getattr(cupy, name)).parameters.keys()
