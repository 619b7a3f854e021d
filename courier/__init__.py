"""Request/response over SQS, and two applications that use it: numbers and images.

The names below are the library. They are loaded when they are first used, so that `import courier` is quick.
"""

import os

# NumPy starts a thread for each core when it is imported, for linear algebra, which is not used here.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

__version__ = "0.2.0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from courier import testing
    from courier.errors import CourierError, Rejected, ResponseTimeout
    from courier.messaging.application import Application
    from courier.messaging.config import WorkerConfig
    from courier.messaging.hooks import Hooks
    from courier.messaging.protocol import Request, Response
    from courier.messaging.queues import create_queues
    from courier.messaging.requester import Requester
    from courier.messaging.worker import Worker

__all__ = [
    "Application",
    "CourierError",
    "Hooks",
    "Rejected",
    "Request",
    "Requester",
    "Response",
    "ResponseTimeout",
    "Worker",
    "WorkerConfig",
    "__version__",
    "create_queues",
    "testing",
]

#: The module of each name; empty: the name is a module of this package.
_MODULES = {
    "Application": "messaging.application",
    "CourierError": "errors",
    "Hooks": "messaging.hooks",
    "Rejected": "errors",
    "Request": "messaging.protocol",
    "Requester": "messaging.requester",
    "Response": "messaging.protocol",
    "ResponseTimeout": "errors",
    "Worker": "messaging.worker",
    "WorkerConfig": "messaging.config",
    "create_queues": "messaging.queues",
    "testing": "",
}


if not TYPE_CHECKING:  # to a type checker, a module with __getattr__ would have every name

    def __getattr__(name):
        """Return one of the names above, loaded now (PEP 562)."""
        from importlib import import_module

        if name not in _MODULES:
            raise AttributeError("module 'courier' has no attribute " + repr(name))
        module = _MODULES[name]
        found = getattr(import_module("courier." + module), name) if module else import_module("courier." + name)
        globals()[name] = found
        return found

    def __dir__():
        """Return the names above, and those that are loaded."""
        return sorted({*globals(), *__all__})
