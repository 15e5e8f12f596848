"""Other densities of x given z."""
