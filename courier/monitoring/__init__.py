"""What exists of a set-up and whether it is well: read into a snapshot, and judged by pure functions."""
