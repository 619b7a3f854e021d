"""`status` and `doctor` of aws_setup.sh and run_local.sh: what exists of a set-up, whether it is well, and the fix.

The scripts run this module: python -m courier.cli.set_up VERB [--json] NAME=VALUE...
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from courier.cli import command_line, layout, output
from courier.errors import AwsError, Unreachable
from courier.images.application import application as images_application
from courier.numbers.application import application as numbers_application
from courier.settings import load_settings
from courier.text import printable

if TYPE_CHECKING:
    from courier.monitoring.expected import Expected
    from courier.monitoring.rows import Row
    from courier.monitoring.snapshot import ProcessState, Snapshot

#: The longest time of one call to AWS, and for how long transient errors are retried, in seconds.
CALL_SECONDS = 15.0
RETRY_SECONDS = 20.0
#: What stands before a row's kind.
VERDICT_COLUMNS = 7
#: The processes of run_local.sh: the local AWS, and the workers.
PROCESSES = (ENGINE, *_) = ("engine", "numbers_worker.py", "images_worker.py")
#: A local AWS that has not answered by then is frozen, in seconds.
ANSWER_SECONDS = 10.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a verb; return the exit status: 0 if all is well, else 1. Raises: CourierError."""
    from courier.monitoring.doctor import doctor_rows
    from courier.monitoring.expected import Expected
    from courier.monitoring.rows import process_rows, status_rows

    given = _parse(arguments)
    expected = Expected.of_words(given.words)
    processes = _processes(expected.local)
    if any(one.is_silent for one in processes):
        return _show(process_rows(processes, expected), as_json=given.json)
    try:
        snapshot = replace(_read(expected, is_deep=given.verb == "doctor"), processes=processes)
    except AwsError as error:
        if not processes:
            raise
        _show(process_rows(processes, expected), as_json=given.json)
        command_line.complain(_of_local_aws(error))
        return 1
    if not given.json and given.verb == "status":
        print(*layout.wrapped(printable(_header(snapshot), None), output.columns(sys.stdout)), sep="\n")
    rows = (doctor_rows if given.verb == "doctor" else status_rows)(snapshot, expected)
    return _show(rows, as_json=given.json)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("verb", choices=("status", "doctor"))
    parser.add_argument("--json", action="store_true", help="print only JSON on stdout, a row a line")
    parser.add_argument("words", nargs="*", metavar="NAME=VALUE", help="what aws_setup.sh knows of the set-up")
    return parser.parse_intermixed_args(arguments)


def _read(expected: Expected, *, is_deep: bool) -> Snapshot:
    # Imported here because loading boto3 would delay the help.
    from courier.aws.credentials import CredentialRefresh
    from courier.aws.session import connect
    from courier.monitoring.snapshot import Reader
    from courier.monitoring.workers import ping

    settings = load_settings()
    applications = (numbers_application(settings), images_application(settings))
    # A local AWS whose process is there responds, or hangs.
    retry_seconds = 0.0 if expected.local else RETRY_SECONDS
    refresh = CredentialRefresh(seconds=0, tell=_warn, transient_seconds=retry_seconds, call_seconds=CALL_SECONDS)
    reader = Reader(
        aws=connect(refresh),
        expected=expected,
        applications=applications,
        given_bucket=settings.bucket,
        is_real=not os.environ.get("AWS_ENDPOINT_URL"),
        is_deep=is_deep,
    )
    with ThreadPoolExecutor(len(applications)) as pool:
        pings = pool.map(partial(ping, tell=_warn), applications) if is_deep else ()
        snapshot = reader.read()
        return replace(snapshot, workers=tuple(pings))


def _processes(folder: str) -> list[ProcessState]:
    """Return the processes of run_local.sh, from the locks that they hold, and whether the local AWS responds."""
    from courier.monitoring.snapshot import ProcessState

    if not folder:
        return []
    from courier.cli import lock_file

    found = {name: lock_file.holder(str(Path(folder, f"{name}.lock"))) for name in PROCESSES}
    is_silent = found[ENGINE] is not None and not _has_response()
    return [
        ProcessState(name=name, process_id=number, is_silent=is_silent and name == ENGINE)
        for name, number in found.items()
    ]


def _has_response() -> bool:
    from courier.cli import local_aws

    port = urlsplit(os.environ.get("AWS_ENDPOINT_URL", "")).port
    return port is None or local_aws.responds(port, float(os.environ.get("SETUP_ANSWER_SECONDS", ANSWER_SECONDS)))


def _of_local_aws(error: AwsError) -> AwsError:
    """Return an error of the local AWS, whose process is there, with a hint for that."""
    if not isinstance(error, Unreachable):
        return error
    return Unreachable(error.message, hint="Stop it, and start it again: ./run_local.sh down; ./run_local.sh up")


def _header(snapshot: Snapshot) -> str:
    identity, endpoint = snapshot.identity, os.environ.get("AWS_ENDPOINT_URL", "")
    where = f", endpoint {endpoint}" if endpoint else ""
    lab = ", a Learner Lab" if identity.is_lab else ""
    return f"account {identity.account}, region {identity.region}{where}{lab}"


def _show(rows: Iterable[Row], *, as_json: bool) -> int:
    is_wrong = False
    for row in rows:
        is_wrong |= row.is_wrong
        if as_json:
            print(json.dumps(row.as_json()))
        else:
            _say_row(printable(row.as_line(), None))
    return int(is_wrong)


def _say_row(line: str) -> None:
    """Print a row; on a terminal, in lines that end at words and begin below the row's kind."""
    width = output.columns(sys.stdout)
    verdict, rest = line[:VERDICT_COLUMNS], line[VERDICT_COLUMNS:]
    indent = " " * VERDICT_COLUMNS
    first, *others = layout.wrapped(indent + rest, width)
    print(verdict + first[VERDICT_COLUMNS:], *others, sep="\n")


def _warn(sentence: str) -> None:
    print(*layout.wrapped(printable(sentence, None), output.columns(sys.stderr)), sep="\n", file=sys.stderr)


if __name__ == "__main__":
    sys.argv[0] = os.environ.get("SETUP_PROGRAM", "aws_setup.sh")
    sys.exit(command_line.finish(main))
