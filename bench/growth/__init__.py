"""Time, processor time and memory against size: how fast they grow, and where their curves bend."""
