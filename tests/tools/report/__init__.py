"""Every component measured against its oracles: ``python -m tests.tools.report`` writes ``docs/validation.md``."""
