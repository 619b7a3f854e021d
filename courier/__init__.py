"""Courier: request and response over AWS queues, and the two applications built on it."""

import os

# NumPy starts a thread for each core as it is loaded, for linear algebra, which nobody does here.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

__version__ = "0.2.0"
