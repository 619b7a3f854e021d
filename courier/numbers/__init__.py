"""Exact statistics of lists of numbers, however long. It knows no terminal."""
