"""Other priors p(z)."""
