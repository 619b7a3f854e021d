"""Read the shared credentials file, or explain what is wrong with it.

Accepts what the AWS CLI accepts, and also a byte order mark, UTF-16 and a block pasted twice (the last one
counts). No message contains a value of the file.
"""

from __future__ import annotations

import configparser
import json
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from courier.text import one_of, printable, quoted

_FIELDS = {
    "aws_access_key_id": "access_key",
    "aws_secret_access_key": "secret_key",
    "aws_session_token": "token",
    "aws_security_token": "token",
}
_NEEDED = ("aws_access_key_id", "aws_secret_access_key")
#: The prefix of access key IDs of temporary credentials.
#: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
_TEMPORARY = "ASIA"
#: The beginning of shell commands that set AWS variables: POSIX, Windows and PowerShell.
_SHELL_WORD = re.compile(r"\s*(?:export|set|setx)\s+AWS_|\s*\$env:AWS_", re.IGNORECASE)
_LINES = "Write lines like aws_access_key_id = ..., aws_secret_access_key = ... and aws_session_token = ... below {}."
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


@dataclass(frozen=True, kw_only=True)
class FileCredentials:
    """The credentials in one section of the credentials file."""

    access_key: str
    secret_key: str
    token: str | None = None


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Why a file has no usable credentials: what is wrong, and what to do."""

    message: str
    hint: str
    #: Whether it is an error. False: credentials may come from another source.
    is_certain: bool = True

    @property
    def sentence(self) -> str:
        """The message and the hint, in one line."""
        return f"{self.message} {self.hint}"


def read_text(path: Path) -> str | Problem:
    """Return a configuration file's text, in any Unicode encoding, or why it cannot be read."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return Problem(message=f"{path} does not exist.", hint="Run: aws configure", is_certain=False)
    except IsADirectoryError:
        return Problem(message=f"{path} is a directory, not a file.", hint="Move it away, and run: aws configure")
    except OSError as error:
        return Problem(message=f"{path} cannot be read: {error.strerror}.", hint=f"Make it readable: chmod u+r {path}")
    encoding = next((encoding for mark, encoding in _MARKS if content.startswith(mark)), "utf-8")
    text = content.decode(encoding, errors="replace")
    if "\0" in text:
        return Problem(message=f"{path} is not text in UTF-8.", hint="Save it again as UTF-8.")
    return text


def read_credentials(path: Path, profile: str) -> FileCredentials | Problem:
    """Return the credentials of `profile` in the file, or why they are missing or incomplete.

    Ignores unknown lines: a file may be half-written for a moment.
    """
    text = read_text(path)
    if isinstance(text, Problem):
        return text
    sections = _sections(text)
    fields = sections.get(profile, {})
    problem = _missing(path, profile, text, sections) or _invalid(path, fields)
    if problem:
        return problem
    return FileCredentials(**{_FIELDS[name]: value for name, value in fields.items()})


def section_names(path: Path) -> list[str]:
    """Return the names of a file's sections, as far as it can be read."""
    text = read_text(path)
    return [] if isinstance(text, Problem) else list(_sections(text))


def explain(path: Path) -> Problem | None:
    """Return why AWS tools cannot read a configuration file; None if they can, or if it does not exist."""
    text = read_text(path)
    if isinstance(text, Problem):
        return text if text.is_certain else None
    if "\ufffd" in text:
        return Problem(message=f"{path} is not text in UTF-8.", hint="Save it again as UTF-8.")
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text)
    except configparser.MissingSectionHeaderError as error:
        return _at(path, error.lineno, "is before the first section", "Begin the file with a line [default].")
    except configparser.ParsingError as error:
        return _at(path, error.errors[0][0], "is not NAME = VALUE", "Correct or delete it.")
    except (configparser.DuplicateSectionError, configparser.DuplicateOptionError) as error:
        name = getattr(error, "option", error.section)
        return _at(path, error.lineno, f"sets {quoted(name)} a second time", "Delete one of them.")
    return _nested_problem(path, parser)


def _nested_problem(path: Path, parser: configparser.RawConfigParser) -> Problem | None:
    """Return what is wrong with indented lines, which are nested settings."""
    for section in parser.sections():
        for name, value in parser.items(section):
            lines = [line for line in value.splitlines() if line.strip()] if value.startswith("\n") else []
            if any("=" not in line for line in lines):
                what = f"{path}: an indented line below {quoted(name)} is not NAME = VALUE."
                return Problem(message=what, hint="Correct or delete it.")
    return None


def invalid_character(value: str) -> str:
    """Describe the invalid character in credentials, a region, profile or address; empty if there is none."""
    if not value:
        return ""
    if value[-1].isspace() or value[-1] < " ":
        return f"ends in {_character(value[-1])}"
    if value[0].isspace() or value[0] < " ":
        return f"begins with {_character(value[0])}"
    if value[0] in "\"'" and value[-1] == value[0] and len(value) > 1:
        return "is in quotes"
    odd = next((char for char in value if not "!" <= char <= "~"), "")
    return f"contains {_character(odd)}" if odd else ""


def _character(char: str) -> str:
    named = {"\r": "a carriage return", "\n": "a line ending", "\t": "a tab", " ": "a blank"}
    if char in named:
        return named[char]
    return f"a character that is not allowed there (U+{ord(char):04X}, {unicodedata.name(char, 'a control character')})"


def _at(path: Path, line: int | None, what: str, hint: str) -> Problem:
    return Problem(message=f"{path}: line {line} {what}.", hint=hint)


def _sections(text: str) -> dict[str, dict[str, str]]:
    """Return the known, non-empty fields of each section, parsing lines as the AWS CLI does."""
    sections: dict[str, dict[str, str]] = {}
    fields: dict[str, str] = {}
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("[") and stripped.endswith("]"):
            fields = sections[stripped[1:-1].strip().removeprefix("profile ").strip()] = {}
        elif not stripped.startswith(("#", ";")):
            name, value = _field(stripped)
            if name in _FIELDS and value:
                fields[name] = value
    return sections


def _field(line: str) -> tuple[str, str]:
    name, *value = re.split(r"[=:]", line, maxsplit=1)
    return name.strip().lower(), "".join(value).strip()


def _missing(path: Path, profile: str, text: str, sections: dict[str, dict[str, str]]) -> Problem | None:
    """Return why the credentials are missing or incomplete; None if they are complete."""
    fields = sections.get(profile)
    if fields and all(name in fields for name in _NEEDED):
        return _token_missing(path, profile, fields)
    if fields:
        absent = next(name for name in _NEEDED if name not in fields)
        hint = "Perhaps only a part was pasted: paste the whole block again."
        return Problem(message=f"{path}: [{printable(profile)}] has no {absent}.", hint=hint)
    return _other_format(path, text, f"[{printable(profile)}]") or _no_keys(path, profile, text, sections)


def _token_missing(path: Path, profile: str, fields: dict[str, str]) -> Problem | None:
    is_temporary = fields["aws_access_key_id"].startswith(_TEMPORARY)
    if not is_temporary or {"aws_session_token", "aws_security_token"} & fields.keys():
        return None
    what = f"{path}: [{printable(profile)}] has no aws_session_token, which temporary keys ({_TEMPORARY}...) need."
    return Problem(message=what, hint="Paste the whole block again.")


def _other_format(path: Path, text: str, section: str) -> Problem | None:
    """Return a problem if JSON or shell commands were pasted instead of credentials lines."""
    hint = _LINES.format(section)
    if text.lstrip().startswith("{"):
        return Problem(message=f"{path} contains {'JSON' if _is_json(text) else 'a piece of JSON'}.", hint=hint)
    if any(_SHELL_WORD.match(line) for line in text.splitlines()):
        return Problem(message=f"{path} contains shell lines (export AWS_... or similar).", hint=hint)
    return None


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _no_keys(path: Path, profile: str, text: str, sections: dict[str, dict[str, str]]) -> Problem:
    name = printable(profile)
    if all(line.strip().startswith(("#", ";")) for line in text.split("\n") if line.strip()):
        return Problem(message=f"{path} is empty.", hint=_LINES.format(f"[{name}]"), is_certain=False)
    if profile in sections:
        what = f"{path}: [{name}] has no credentials."
        return Problem(message=what, hint=_LINES.format(f"[{name}]"), is_certain=False)
    if not sections:
        what = f"{path} has no section [{name}]: a line with its name in brackets is missing."
        return Problem(message=what, hint=f"Write [{name}] above the credentials.")
    others = one_of([f"[{printable(other)}]" for other in sections][:5])
    hint = f"Rename it to [{name}], or select it with AWS_PROFILE."
    return Problem(message=f"{path} has no section [{name}], only {others}.", hint=hint, is_certain=False)


def _invalid(path: Path, fields: dict[str, str]) -> Problem | None:
    for name, value in fields.items():
        if what := invalid_character(value):
            hint = "Leave the quotes out." if "quotes" in what else "Paste the whole block again."
            return Problem(message=f"{path}: {name} {what}.", hint=hint)
    return None
