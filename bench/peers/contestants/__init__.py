"""The workers that bench.peers compares, a module each; they run in the virtual environment of the peers.

A module has `sender()`, which returns what sends one request, and `serve()`, which works on requests until a signal.
Each is configured as its own documentation recommends for small tasks on SQS. Handlers send their response to
responseQueue themselves where the library has no responses.
"""
