"""Request/response over SQS, and two applications that use it: numbers and images."""

import os

# NumPy starts a thread for each core as it is loaded, for linear algebra, which nobody does here.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

__version__ = "0.2.0"
