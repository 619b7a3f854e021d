"""The credentials file as people leave it; keys that really expire are in tests/faults."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from botocore.exceptions import ConfigParseError
from botocore.session import Session

from courier.credentials import Keys, PastedCredentials, Patience, make_session, read_keys

BLOCK = "[default]\naws_access_key_id = A{0}\naws_secret_access_key = S{0}\naws_session_token = T{0}\n"


def block(number: int) -> str:
    return BLOCK.format(number)


def keys(number: int) -> Keys:
    return Keys(access_key=f"A{number}", secret_key=f"S{number}", token=f"T{number}")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "credentials"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (block(1), keys(1)),
        (block(1) + block(2), keys(2)),
        ("[other]\naws_access_key_id=X\naws_secret_access_key=Y\n" + block(1), keys(1)),
        (block(1) + "[other]\naws_access_key_id=X\naws_secret_access_key=Y\n", keys(1)),
        (block(1).replace("\n", "\r\n"), keys(1)),
        ("\ufeff# pasted\n" + block(1) + "rubbish\n= x\n", keys(1)),
        (
            "[ default ]\nAWS_ACCESS_KEY_ID=A1\naws_secret_access_key = S1=+/\n",
            Keys(access_key="A1", secret_key="S1=+/"),
        ),
        (block(1)[:40], None),
        ("[default]\naws_access_key_id = A1\naws_secret_access_key =\n", None),
        ("[default]\n# aws_access_key_id = A1\naws_secret_access_key = S1\n", None),
        ("", None),
    ],
)
def test_keys_are_read_from_whatever_was_pasted(path: Path, text: str, expected: Keys | None) -> None:
    path.write_text(text)

    assert read_keys(path, "default") == expected


def test_a_file_that_is_not_there_or_no_text_has_no_keys(path: Path) -> None:
    assert read_keys(path, "default") is None
    path.write_bytes(b"\xff\xfe\x00")
    assert read_keys(path, "default") is None


def test_the_keys_to_sign_with_follow_the_file(path: Path) -> None:
    path.write_text(block(1))
    credentials = PastedCredentials(path, "default", keys(1))
    assert credentials.get_frozen_credentials().access_key == "A1"
    assert not credentials.have_changed

    path.write_text(block(2))

    assert credentials.have_changed
    frozen = credentials.get_frozen_credentials()
    assert (frozen.access_key, frozen.secret_key, frozen.token) == ("A2", "S2", "T2")
    assert not credentials.have_changed


def test_a_half_written_file_is_not_taken_and_the_whole_one_is(path: Path) -> None:
    path.write_text(block(1))
    credentials = PastedCredentials(path, "default", keys(1))
    credentials.get_frozen_credentials()

    path.write_text(block(2)[:45])
    assert not credentials.have_changed
    path.write_text(block(2))
    assert credentials.have_changed


def test_a_file_that_was_replaced_in_the_same_instant_is_seen(path: Path, tmp_path: Path) -> None:
    path.write_text(block(1))
    stamp = path.stat()
    credentials = PastedCredentials(path, "default", keys(1))
    credentials.get_frozen_credentials()

    (tmp_path / "new").write_text(block(2))
    os.utime(tmp_path / "new", ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    (tmp_path / "new").replace(path)

    assert credentials.have_changed


def test_a_file_that_vanishes_leaves_the_keys_as_they_were(path: Path) -> None:
    path.write_text(block(1))
    credentials = PastedCredentials(path, "default", keys(1))

    path.unlink()

    assert credentials.get_frozen_credentials().access_key == "A1"


def test_each_thread_knows_what_it_signed_with(path: Path) -> None:
    path.write_text(block(1))
    credentials = PastedCredentials(path, "default", keys(1))
    credentials.get_frozen_credentials()
    path.write_text(block(2))
    assert credentials.have_changed

    thread = threading.Thread(target=credentials.get_frozen_credentials)
    thread.start()
    thread.join()

    assert credentials.have_changed


def session_for(path: Path, monkeypatch: pytest.MonkeyPatch, told: list[str]) -> Session:
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(path))
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return make_session(Patience(seconds=0, tell=told.append))


def test_a_block_pasted_twice_does_not_keep_a_session_from_starting(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_text(block(1) + block(2))
    session = session_for(path, monkeypatch, [])

    with pytest.raises(ConfigParseError):
        _ = Session().full_config
    assert session.full_config["profiles"].keys() == {"default"}
    credentials = session.get_credentials()
    assert isinstance(credentials, PastedCredentials)
    assert credentials.access_key == "A2"


def test_another_profile_is_read_from_its_own_block(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text(block(1) + block(2).replace("default", "lab"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(path))
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    monkeypatch.setenv("AWS_PROFILE", "lab")

    credentials = make_session(Patience(seconds=0, tell=print)).get_credentials()

    assert credentials is not None
    assert credentials.access_key == "A2"


def test_environment_variables_win_and_a_warning_says_so(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text(block(1))
    told: list[str] = []
    session_for(path, monkeypatch, told)
    assert told == []

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "E1")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "E2")
    session = make_session(Patience(seconds=0, tell=told.append))

    credentials = session.get_credentials()
    assert credentials is not None
    assert credentials.access_key == "E1"
    assert told == [f"AWS_ACCESS_KEY_ID in the environment hides the keys in {path}; unset it to use these."]


def test_of_the_same_dead_keys_the_user_is_told_once() -> None:
    told: list[str] = []
    patience = Patience(seconds=0, tell=told.append)

    for number in (1, 1, 2, 2):
        patience.tell_once(keys(number), f"keys {number}")

    assert told == ["keys 1", "keys 2"]
