"""Other bounds, and other weights of their terms."""
