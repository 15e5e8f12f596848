"""Everything that has to be seen on a GPU, in one command that a lent GPU can run as it is.

    python -m benchmarks.gpu --out FOLDER --minutes 8

Read :mod:`.runner` first: it has the list of checks, and starts each in a process of its own. A check is a
module with a function ``items``; :mod:`.child` runs them and writes down what each found. ``docs/gpu.md`` says
how to run it, and what has been seen on what.
"""
