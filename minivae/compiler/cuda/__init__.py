"""Programs on CUDA: generated kernels, matrix products by cuBLAS, and one graph of all of it."""
