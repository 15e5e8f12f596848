"""Variants for sequences."""
