"""Other posteriors q(z|x)."""
