"""Courier: request and response over AWS queues, and the two applications built on it."""
