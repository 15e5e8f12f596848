"""minivae timed against PyTorch, JAX, HIPS autograd and the machine itself: ``python -m benchmarks``.

``cases.py`` says what is computed, ``contenders/`` who computes it, ``harness.py`` how it is
timed; ``steps.py``, ``train.py``, ``overhead.py``, ``growth.py``, ``steady.py``, ``cliffs.py``,
``data.py`` and ``images.py`` are the parts of the measurement, ``targets.py`` what they shall
show, and ``report.py`` and ``plot.py`` show it.
``against.py`` compares two checkouts of minivae.
"""
