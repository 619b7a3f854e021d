"""The conformance matrix: image files made from known samples, and the check of what becomes of them."""
