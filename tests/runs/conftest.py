"""Shared by the tests of runs."""

from ..training.conftest import digits  # noqa: F401 (a fixture)
