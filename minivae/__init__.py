"""minivae: Auto-Encoding Variational Bayes (arXiv 1312.6114) from first principles."""

__version__ = "0.1.0"
