"""Independent twins: every member's loss once more, from its paper, in PyTorch. See :mod:`tests.twins.twin`."""
