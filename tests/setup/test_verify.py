"""`./aws_setup.sh verify` on moto: a few checks as a command; how it ends is tested in one process."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.support.engines import Engine
from tests.support.place import ROOT, WAIT_SECONDS
from tests.support.rows import rows


def verify(moto: Engine, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(ROOT / "aws_setup.sh"), "verify", "--region", "us-east-1", *arguments],
        env={**moto.environment(), "HOME": str(folder)},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=5 * WAIT_SECONDS,
        check=False,
    )


def test_checks_run_as_far_as_an_emulator_allows_and_nothing_is_left(moto: Engine, tmp_path: Path) -> None:
    done = verify(moto, tmp_path, "--yes", "--json", "--only", "head-no-bucket,reply-queue-0s,kill-tmux")

    assert done.returncode == 0, done.stderr
    run, *checks = rows(done.stdout, "aws-setup-verify")
    assert (run["kind"], run["aws"], run["is_whole"]) == ("run", "emulator", True)
    found = {row["check"]: row for row in checks}
    assert found["head-no-bucket"]["figures"]["status"] == 404
    assert found["kill-tmux"]["status"] == "left out"
    assert found["kill-tmux"]["detail"] == "needs the real AWS"
    assert "123456789012" not in done.stdout + done.stderr


def test_without_a_terminal_and_without_yes_nothing_is_created(moto: Engine, tmp_path: Path) -> None:
    done = verify(moto, tmp_path)
    unknown = verify(moto, tmp_path, "--only", "nothing")

    assert (done.returncode, unknown.returncode) == (2, 2)
    assert "Add --yes" in done.stderr
    assert "head-no-bucket, " in unknown.stderr
