"""Other ways to learn the model of the VAE."""
