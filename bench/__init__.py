"""Benchmarks: ratios in one run against a stated baseline. Never part of the tests, but for the models."""
