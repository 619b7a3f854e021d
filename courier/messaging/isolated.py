"""Run a user's handler in child processes with limits on time and memory, and without credentials.

The child finds the handler by its module and name, as `multiprocessing` does. As a program, this module is that child:

    python -m courier.messaging.isolated SOURCE RESULT MEGABYTES
"""

from __future__ import annotations

import importlib
import json
import runpy
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import cache, reduce
from pathlib import Path
from typing import IO, Any

from courier.errors import CourierError, IsolatedServiceError, Rejected, ServiceError, WrongUsage
from courier.messaging.config import WorkerConfig
from courier.messaging.protocol import Request, Response
from courier.sandbox import Limits, Sandbox
from courier.sandbox_child import serve

if sys.platform == "win32":
    raise ImportError("The workers need Linux or macOS.")

#: The name of the worker's main module in the child, so that it does not start another worker.
MAIN = "__courier_main__"


class IsolatedHandler:
    """A handler that runs in a child process. Every failure of the child becomes a rejection.

    Raises: WrongUsage if the child could not import it.
    """

    def __init__(self, handler: Callable[[Request], str | Response], config: WorkerConfig) -> None:
        module, name = handler.__module__, getattr(handler, "__qualname__", type(handler).__name__)
        main = getattr(sys.modules["__main__"], "__file__", None) if module == "__main__" else None
        if (module == "__main__" and main is None) or _member(sys.modules[module], name) is not handler:
            raise WrongUsage(f"{name} cannot be isolated.", hint="Make it a function at the top level of a module.")
        self._order = {
            "module": module,
            "name": name,
            "main": str(Path(main).resolve()) if main else "",
            "path": [str(Path(place).resolve()) for place in sys.path],
        }
        self._sandbox = Sandbox(
            __spec__.name,
            Limits(
                seconds=config.time_limit_seconds,
                memory_megabytes=config.memory_megabytes,
                seconds_setting="time_limit_seconds",
                memory_setting="memory_megabytes",
            ),
        )

    def __call__(self, request: Request) -> Response:
        """Return the response.

        Raises: Rejected, by the handler or at a limit; IsolatedServiceError after a transient error; NoRoom;
        SandboxFault if the handler failed.
        """
        with self._sandbox.cell() as cell:
            cell.source.write(json.dumps(asdict(request)).encode())
            report = cell.run(self._order)
            if transient := report.get("transient"):
                raise IsolatedServiceError(transient["message"], hint=transient["hint"])
            with cell.result() as result:
                return Response(body=result.read().decode(errors="surrogatepass"), details=report["details"])


def work(order: Mapping[str, Any], source: IO[bytes], result: IO[bytes]) -> dict[str, Any]:
    """Process the request in `source` by the handler that `order` names (in the child)."""
    handler = _handler(order["module"], order["name"], order["main"], tuple(order["path"]))
    try:
        made = handler(Request(**json.load(source)))
    except Rejected:
        raise
    except CourierError as error:
        if isinstance(error, ServiceError) and error.is_transient:
            return {"transient": {"message": error.message, "hint": error.hint}}
        raise Rejected(error.message, hint=error.hint) from error
    response = Response(body=made) if isinstance(made, str) else made
    result.write(response.body.encode(errors="surrogatepass"))
    return {"details": dict(response.details)}


@cache
def _handler(module: str, name: str, main: str, path: tuple[str, ...]) -> Callable[[Request], str | Response]:
    sys.path[:] = path
    if main:
        return runpy.run_path(main, run_name=MAIN)[name]  # type: ignore[no-any-return]
    return _member(importlib.import_module(module), name)  # type: ignore[no-any-return]


def _member(module: object, name: str) -> Any:  # noqa: ANN401  any value
    return reduce(lambda found, part: getattr(found, part, None), name.split("."), module)


if __name__ == "__main__":
    sys.exit(serve(sys.argv[1:], work))
