"""Exact statistics of lists of numbers, however long. Knows no terminal."""
