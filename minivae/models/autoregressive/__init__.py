"""Densities of one element after the other."""
