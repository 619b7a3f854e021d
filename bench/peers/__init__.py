"""A worker beside those that one might choose instead: the same requests, on the same local AWS, in one run."""
