"""Codebook usage: the shares, their perplexity, and codes that are refused."""

import numpy as np

from minivae import plots


def test_the_title_says_how_many_are_used_and_the_perplexity(path, drawn):
    codes = np.array([[0, 1], [1, 0], [0, 1], [1, 0]])
    plots.codebook_usage(codes, 7, path)
    assert drawn[0].panels[0].title == "Codes of 4 data points: 2 of 7 used, perplexity 2.0"
    plots.codebook_usage(np.zeros((3, 4), int), 5, path)
    assert "1 of 5 used, perplexity 1.0" in drawn[1].panels[0].title


def test_large_codebooks_fit(path, rng):
    plots.codebook_usage(rng.integers(0, 512, (2000, 30)), 512, path)
