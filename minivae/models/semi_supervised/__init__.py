"""Models that learn from labels where there are any: labels may be missing."""
