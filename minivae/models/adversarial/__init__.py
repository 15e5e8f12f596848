"""Models with a critic."""
