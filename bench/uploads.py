"""An upload in parts, one at a time and several: time, with a latency for each part, and peak memory.

    python -m bench.uploads

One list of `SIZE` bytes is uploaded to a local S3 through a gate that holds each part for some time, as a distance or
a narrow connection does. Both ways run in turn, each in a process of its own. The aim: at least twice as fast with
half a second a part.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.peak import peak_megabytes
from bench.throughput import ROOT
from courier.aws.s3 import IN_FLIGHT_BYTES, PART_BYTES, Bucket
from courier.aws.session import Aws
from tests.support.engines import Engine, fresh_account
from tests.support.gate import Gate

SIZE = 12 * PART_BYTES
#: How long the gate holds each part, in seconds.
LATENCIES = (0.0, 0.1, 0.5)
#: How much faster several are to be at the longest of these.
AIM = 2.0
WAYS = {"one at a time": 0, "several": IN_FLIGHT_BYTES}
ROUNDS = 3


class _Zeros(io.RawIOBase):
    """A file of `SIZE` bytes that takes no memory."""

    left = SIZE

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes."""
        taken = self.left if size < 0 else min(size, self.left)
        self.left -= taken
        return bytes(taken)


def upload(bucket_name: str, in_flight_bytes: int) -> None:
    """Upload once, and print the seconds and the peak memory."""
    aws = Aws()
    aws.s3().create_bucket(Bucket=bucket_name)
    bucket = Bucket(aws, bucket_name, "numbers/")
    started = time.monotonic()
    stored = bucket.store("list", _Zeros(), media_type="text/plain", in_flight_bytes=in_flight_bytes)
    assert stored.size_bytes == SIZE
    found = {
        "seconds": time.monotonic() - started,
        "peak MB": peak_megabytes(),
    }
    print(json.dumps(found))


def run(engine: Engine, way: str, latency: float) -> dict[str, float]:
    """Return the seconds and the peak memory of one upload."""
    gate = Gate(engine.url)
    gate.fail("latency", "S3:PUT", seconds=latency)
    try:
        account = fresh_account()
        env = {**engine.environment(account), "AWS_ENDPOINT_URL": gate.url}
        command = [sys.executable, "-m", "bench.uploads", f"uploads-{account}", way]
        done = subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, check=True)
        found: dict[str, float] = json.loads(done.stdout)
        return found
    finally:
        gate.close()


def measure(rounds: int = ROUNDS) -> dict[str, Any]:
    """Return the figures of each way and latency, in each round."""
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(name="ministack", folder=Path(folder)).start()
        try:
            found = [
                {str(latency): {way: run(engine, way, latency) for way in WAYS} for latency in LATENCIES}
                for _ in range(rounds)
            ]
        finally:
            engine.stop()
    return {"bytes": SIZE, "rounds": found}


def main() -> None:
    """Measure all of it and print it."""
    if len(sys.argv) > 1:
        upload(sys.argv[1], WAYS[sys.argv[2]])
        return
    for one in measure()["rounds"]:
        for latency, ways in one.items():
            ratio = ways["one at a time"]["seconds"] / ways["several"]["seconds"]
            memory = ", ".join(f"{way} {figures['peak MB']:.0f} MB" for way, figures in ways.items())
            aim = f" (aim {AIM:g})" if float(latency) == LATENCIES[-1] else ""
            print(f"{latency} s a part: several are {ratio:.2f} times as fast{aim}; {memory}", flush=True)


if __name__ == "__main__":
    main()
