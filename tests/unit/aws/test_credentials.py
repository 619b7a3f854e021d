"""The credentials file as people leave it; keys that really expire are in tests/faults."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.exceptions import ConfigParseError
from botocore.session import Session

from courier.aws import credentials as credentials_module
from courier.aws.credentials import CredentialRefresh, PastedCredentials, make_session
from courier.aws.credentials_file import FileCredentials
from courier.errors import NoCredentials

BLOCK = "[default]\naws_access_key_id = A{0}\naws_secret_access_key = S{0}\naws_session_token = T{0}\n"


def block(number: int) -> str:
    return BLOCK.format(number)


def keys(number: int) -> FileCredentials:
    return FileCredentials(access_key=f"A{number}", secret_key=f"S{number}", token=f"T{number}")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "credentials"


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


def session_for(path: Path, monkeypatch: pytest.MonkeyPatch, notices: list[str]) -> Session:
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(path))
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return make_session(CredentialRefresh(seconds=0, tell=notices.append))


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

    credentials = make_session(CredentialRefresh(seconds=0, tell=print)).get_credentials()

    assert credentials is not None
    assert credentials.access_key == "A2"


def test_environment_variables_win_and_a_warning_says_so(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text(block(1))
    notices: list[str] = []
    session_for(path, monkeypatch, notices)
    assert notices == []

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "E1")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "E2")
    session = make_session(CredentialRefresh(seconds=0, tell=notices.append))

    credentials = session.get_credentials()
    assert credentials is not None
    assert credentials.access_key == "E1"
    assert len(notices) == 1
    assert all(fact in notices[0] for fact in ("AWS_ACCESS_KEY_ID", str(path), "unset"))


def notices_while_waiting(path: Path, monkeypatch: pytest.MonkeyPatch, texts: list[str]) -> list[str]:
    """Return the notices while each of `texts` in turn stands in the file, and then valid keys."""
    path.write_text(block(1))
    notices: list[str] = []
    monkeypatch.setattr(credentials_module, "STABLE_SECONDS", 0.0)
    pasted = PastedCredentials(path, "default", keys(1))
    pasted.get_frozen_credentials()
    provider = SimpleNamespace(credentials=pasted)
    left = iter(texts)

    class Clock(threading.Event):
        """Pastes the next text at every wait."""

        def wait(self, timeout: float | None = None) -> bool:  # noqa: ARG002
            path.write_text(next(left, block(2)))
            return False

    refresh = CredentialRefresh(seconds=None, tell=notices.append, stopped=Clock())
    resigner = credentials_module._Resigner(cast("Any", provider), refresh)
    rejected = (None, {"Error": {"Code": "ExpiredToken"}})
    assert resigner.consider(rejected, {"method": "POST"}) == 0.0
    assert pasted.keys == keys(2)
    return notices


def test_a_paste_that_cannot_be_read_is_reported_once_for_each_cause(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong_section, in_quotes = block(2).replace("default", "lab"), block(2).replace("S2", '"S2"')

    notices = notices_while_waiting(path, monkeypatch, [wrong_section, wrong_section + "\n", in_quotes, wrong_section])

    assert [sentence for sentence in notices if "AWS rejects the credentials" in sentence] == notices[:1]
    assert "[lab]" in notices[1]
    assert "quotes" in notices[2]
    assert len(notices) == 3


def test_a_paste_with_a_byte_order_mark_is_taken_without_a_word(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(notices_while_waiting(path, monkeypatch, ["\ufeff" + block(2).replace("\n", "\r\n")])) == 1


def test_a_file_that_is_being_written_is_reported_of_only_once_it_stays_so(path: Path) -> None:
    path.write_text(block(1))
    pasted = PastedCredentials(path, "default", keys(1))

    path.write_text(block(2)[:40])
    pasted.refresh(at_once=True)

    assert pasted.problem is None
    pasted._unusable = (pasted._unusable[0], pasted._unusable[1], -10.0) if pasted._unusable else None
    assert pasted.problem is not None
    path.write_text(block(2))
    pasted.refresh(at_once=True)
    assert pasted.problem is None


def test_keys_that_cannot_be_used_are_said_at_the_start(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text(block(1).replace("S1", "'S1'"))

    with pytest.raises(NoCredentials, match=r"aws_secret_access_key .*quotes"):
        session_for(path, monkeypatch, []).get_credentials()


def test_a_file_without_this_profile_leaves_it_to_other_sources(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text("[lab]\naws_access_key_id=A\naws_secret_access_key=S\n")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    assert session_for(path, monkeypatch, []).get_credentials() is None


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_configuration_file_with_a_byte_order_mark_is_read(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    path.write_text(block(1), encoding=encoding)
    session = session_for(path, monkeypatch, [])
    (tmp_path / "config").write_text("[default]\nregion = eu-west-3\n", encoding=encoding)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    session = make_session(CredentialRefresh(seconds=0, tell=print))

    assert session.get_config_variable("region") == "eu-west-3"
    credentials = session.get_credentials()
    assert credentials is not None
    assert credentials.access_key == "A1"


def test_a_configuration_file_that_cannot_be_parsed_is_said_with_its_line(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_text(block(1))
    session_for(path, monkeypatch, [])
    (tmp_path / "config").write_text("[default]\nrubbish\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))

    with pytest.raises(NoCredentials, match="config: line 2"):
        _ = make_session(CredentialRefresh(seconds=0, tell=print)).full_config


def test_of_the_same_expired_keys_the_user_is_reported_once() -> None:
    notices: list[str] = []
    refresh = CredentialRefresh(seconds=0, tell=notices.append)

    for number in (1, 1, 2, 2):
        refresh.tell_of_rejection(keys(number), f"keys {number}")

    assert notices == ["keys 1", "keys 2"]
