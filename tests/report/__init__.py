"""Every component measured against its oracles: ``python -m tests.report`` writes ``docs/validation.md``."""
