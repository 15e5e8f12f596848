"""Members whose z is a hierarchy of levels, and the networks between them."""
