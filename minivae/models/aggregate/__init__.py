"""Terms on the aggregate posterior q(z), the average of q(z|x) over the data."""
