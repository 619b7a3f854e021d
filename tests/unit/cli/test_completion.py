"""The scripts for the shells' completion, as real shells run them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from courier.cli import images_arguments, numbers_arguments
from courier.errors import WrongUsage

PARSERS = {"numbers_client.py": numbers_arguments.build_parser, "courier-images": images_arguments.build_parser}
#: Completes each line of standard input for a program, and prints what is offered, a line each.
COMPLETE = r"""
source "$1"
while IFS= read -r line; do
  read -ra COMP_WORDS <<<"$line"
  [[ $line == *" " ]] && COMP_WORDS+=("")
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  "$2"
  echo "${COMPREPLY[*]}"
done
"""


def script(program: str, shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    parser = PARSERS[program]("x")
    parser.prog = program
    with pytest.raises(SystemExit) as raised:
        parser.parse_args(["--print-completion", shell])
    assert raised.value.code == 0
    return capsys.readouterr().out


def offered(program: str, lines: list[str], folder: Path, capsys: pytest.CaptureFixture[str]) -> list[set[str]]:
    file = folder / "completion"
    file.write_text(script(program, "bash", capsys))
    (function,) = re.findall(r"^complete .* -F (\S+) (?:\S+)$", file.read_text(), flags=re.MULTILINE)
    done = subprocess.run(
        ["bash", "-c", COMPLETE, "bash", file, function],
        input="\n".join(lines) + "\n",
        cwd=folder,
        text=True,
        capture_output=True,
        check=True,
    )
    assert done.stderr == ""
    return [set(line.split()) for line in done.stdout.split("\n")[:-1]]


def test_bash_completes_commands_options_files_and_operations(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cats").mkdir()
    (tmp_path / "cat.jpg").touch()

    lines = ["courier-images r", "courier-images run --re", "courier-images run ca", "courier-images run x --to ca"]
    lines += ["courier-images list ", "courier-images run x --operations sepia,thu", "courier-images run --json --to"]

    assert offered("courier-images", lines, tmp_path, capsys) == [
        {"redrive", "run"},
        {"--recursive", "--replace"},
        {"cat.jpg", "cats"},
        {"cats"},
        {"unprocessed", "processed"},
        {"sepia,thumbnail"},
        {"--to"},
    ]


def test_bash_completes_what_the_numbers_client_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "prices.csv").touch()
    lines = ["numbers_client.py s", "numbers_client.py file pri", "numbers_client.py batch --dec"]

    assert offered("numbers_client.py", lines, tmp_path, capsys) == [
        {"send", "sample"},
        {"prices.csv"},
        {"--decimal-comma"},
    ]


@pytest.mark.parametrize("program", PARSERS)
def test_each_script_names_each_command_and_zsh_can_read_it(program: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = script(program, "zsh", capsys)

    assert found.startswith(f"#compdef {program}\n")
    for name in PARSERS[program]("x").commands:
        assert re.search(rf"^    {name}:", found, flags=re.MULTILINE)
    if shutil.which("zsh"):
        subprocess.run(["zsh", "-n"], input=found, text=True, check=True)


def test_the_program_is_named_without_its_folder(capsys: pytest.CaptureFixture[str]) -> None:
    parser = numbers_arguments.build_parser("x")
    parser.prog = "./bin/courier-numbers"
    with pytest.raises(SystemExit):
        parser.parse_args(["--print-completion", "bash"])

    assert capsys.readouterr().out.rstrip().endswith(" courier-numbers")


def test_without_its_package_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("courier.cli.completion.find_spec", lambda _name: None)
    monkeypatch.setattr("courier.cli.bootstrap.rerun", lambda: None)

    with pytest.raises(WrongUsage, match="needs shtab") as raised:
        numbers_arguments.build_parser("x").parse_args(["--print-completion", "bash"])

    assert "requirements.txt" in raised.value.hint


def test_another_shell_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        numbers_arguments.build_parser("x").parse_args(["--print-completion", "fish"])

    assert "Choose bash or zsh" in capsys.readouterr().err
