"""What is wrong with AWS's environment variables is said by their names, and no key is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from courier.aws.environment import check_certificates, check_environment, check_region, file_problems
from courier.errors import NoCredentials

KEYS = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG"}


@pytest.mark.parametrize(
    "environment",
    [
        {},
        KEYS,
        {**KEYS, "AWS_SESSION_TOKEN": "a" * 900, "AWS_REGION": "us-gov-west-1", "AWS_PROFILE": "my profile"},
        {"AWS_ENDPOINT_URL": "", "AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:4566"},
        {"AWS_ENDPOINT_URL": "https://me:pass@host.example/path"},
        {"AWS_SECRET_ACCESS_KEY": "unused\r"},
    ],
)
def test_what_can_be_used_is_passed(environment: dict[str, str]) -> None:
    check_environment(environment)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("AWS_ACCESS_KEY_ID", "AKIA\r", "carriage return"),
        ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI\r", "carriage return"),
        ("AWS_SESSION_TOKEN", "to\nken", "AWS_SESSION_TOKEN"),
        ("AWS_REGION", "us-east-1\r", "carriage return"),
        ("AWS_DEFAULT_REGION", " us-east-1", "AWS_DEFAULT_REGION"),
        ("AWS_REGION", "us-east-1a", "us-east-1."),
        ("AWS_DEFAULT_REGION", "eu-west-3c", "eu-west-3."),
        ("AWS_PROFILE", "lab\r", "carriage return"),
        ("AWS_DEFAULT_PROFILE", "lab\n", "AWS_DEFAULT_PROFILE"),
        ("AWS_ENDPOINT_URL", "localhost:4566", "http:// is missing"),
        ("AWS_ENDPOINT_URL_S3", "ftp://localhost", "not an http://"),
        ("AWS_ENDPOINT_URL", "http://", "not an http://"),
        ("AWS_ENDPOINT_URL", "http://localhost:0", "not an http://"),
        ("AWS_ENDPOINT_URL", "http://localhost:99999", "not an http://"),
        ("AWS_ENDPOINT_URL", "http://localhost:4566\r", "carriage return"),
    ],
)
def test_what_cannot_be_used_is_said_by_its_name(name: str, value: str, said: str) -> None:
    with pytest.raises(NoCredentials, match=name) as raised:
        check_environment({**KEYS, name: value})

    assert said in raised.value.message
    assert raised.value.hint
    assert "wJalr" not in raised.value.sentence


@pytest.mark.parametrize("address", ["http://me:password@localhost:0", "me:password@localhost:4566"])
def test_a_password_in_an_address_is_not_shown(address: str) -> None:
    with pytest.raises(NoCredentials) as raised:
        check_environment({"AWS_ENDPOINT_URL": address})

    assert "password" not in raised.value.sentence


@pytest.mark.parametrize("region", ["", "us-east-1", "ap-southeast-2", "us-gov-west-1", "local"])
def test_a_region_is_none_of_its_zones(region: str) -> None:
    check_region(region, "AWS_REGION")


def test_a_file_of_certificates_must_be_there_where_it_is_needed(tmp_path: Path) -> None:
    there, missing = tmp_path / "there.pem", str(tmp_path / "missing.pem")
    there.touch()

    check_certificates(None, {})
    check_certificates(str(there), {})
    check_certificates(missing, {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"})
    for path, environment in (
        (missing, {}),
        (missing, {"AWS_ENDPOINT_URL": "https://host"}),
        (None, {"REQUESTS_CA_BUNDLE": missing}),
    ):
        with pytest.raises(NoCredentials, match=r"missing\.pem") as raised:
            check_certificates(path, environment)
        assert "AWS_CA_BUNDLE" in raised.value.hint


def test_files_that_are_not_there_are_no_problem(tmp_path: Path) -> None:
    nowhere = str(tmp_path / "nowhere")

    assert file_problems({"AWS_CONFIG_FILE": nowhere, "AWS_SHARED_CREDENTIALS_FILE": nowhere}) == ""
