from __future__ import annotations

import dataclasses
import re

import pytest

from courier.errors import WrongSetting
from courier.settings import FIELDS, Settings, load_settings, variable
from scripts import tables


def test_an_empty_environment_makes_the_defaults() -> None:
    assert load_settings({"PATH": "/bin", "COURIER_BUCKET": ""}) == Settings()


def test_every_field_can_be_set() -> None:
    values = {
        "request_queue": "a",
        "response_queue": "b",
        "image_inbox": "c",
        "image_outbox": "d",
        "bucket": "my-bucket",
        "name": "anna.b-2_c",
        "plain": "True",
        "preview": "sixel",
        "timeout_seconds": "2.5",
        "poll_seconds": "3",
        "visibility_seconds": "4",
        "concurrency": "5",
        "processes": "2",
        "grace_seconds": "6",
        "max_deliveries": "9",
        "time_limit_seconds": "10",
        "list_part_megabytes": "6",
        "image_max_megabytes": "7",
        "image_max_megapixels": "8",
        "image_max_frames": "12",
        "image_seconds": "9",
        "image_memory_megabytes": "100",
        "scaling_group": "lab3-workers",
        "status_seconds": "1",
        "instance_id": "i-0123456789abcdef0",
    }

    settings = load_settings({variable(name): value for name, value in values.items()})

    assert {name: str(value) for name, value in dataclasses.asdict(settings).items()} == {
        **values,
        "grace_seconds": "6.0",
        "time_limit_seconds": "10.0",
        "list_part_megabytes": "6.0",
        "image_max_megabytes": "7.0",
        "image_max_megapixels": "8.0",
        "image_seconds": "9.0",
        "status_seconds": "1.0",
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("COURIER_REQUEST_QUEUE", "with blank"),
        ("COURIER_REQUEST_QUEUE", "x" * 81),
        ("COURIER_BUCKET", "UPPER"),
        ("COURIER_POLL_SECONDS", "21"),
        ("COURIER_POLL_SECONDS", "1.5"),
        ("COURIER_VISIBILITY_SECONDS", "0"),
        ("COURIER_TIMEOUT_SECONDS", "nan"),
        ("COURIER_TIMEOUT_SECONDS", "soon"),
        ("COURIER_CONCURRENCY", "-1"),
    ],
)
def test_a_wrong_value_is_rejected_with_its_name_and_the_rule(name: str, value: str) -> None:
    with pytest.raises(WrongSetting, match=f"{name} is '.*', and must be "):
        load_settings({name: value})


def test_a_misspelt_setting_is_rejected_with_the_known_ones() -> None:
    with pytest.raises(WrongSetting, match="COURIER_TIMEOUT is not a setting") as raised:
        load_settings({"COURIER_TIMEOUT": "3"})

    assert "COURIER_TIMEOUT_SECONDS" in raised.value.hint


@pytest.mark.parametrize(
    ("text", "value"), [("1", True), ("yes", True), ("TRUE", True), ("on", True), ("0", False), ("No", False)]
)
def test_a_switch_is_on_or_off(text: str, *, value: bool) -> None:
    assert load_settings({"COURIER_PLAIN": text}).plain is value


def test_a_switch_that_is_neither_is_rejected_by_name() -> None:
    with pytest.raises(WrongSetting, match="COURIER_PLAIN is '2'"):
        load_settings({"COURIER_PLAIN": "2"})


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("a/b", "'/'"),
        ("Zo\u00eb", "'\u00eb'"),
        ("a b\x1b", "' '"),
        ("..", "it begins with '.'"),
        ("-a", "it begins with '-'"),
        ("x" * 33, "it has 33"),
    ],
)
def test_what_is_wrong_with_a_name_is_said(name: str, fault: str) -> None:
    with pytest.raises(WrongSetting, match=re.escape(fault)) as raised:
        load_settings({"COURIER_NAME": name})

    assert raised.value.message.startswith("COURIER_NAME is ")


def test_the_table_of_settings_has_the_rule_that_rejections_give() -> None:
    rows = {row.split("`")[1]: row for row in tables.setting_table().splitlines() if "`" in row}

    for name, field in FIELDS.items():
        with pytest.raises(WrongSetting) as raised:
            load_settings({variable(name): "\0"})
        assert f"must be {field.metadata['values'].rule}" in raised.value.message
        assert f" {field.metadata['values'].rule}" in rows[variable(name)]


def test_both_ends_of_a_range_are_accepted_and_what_is_beyond_is_not() -> None:
    ranges = {
        name: re.findall(r"number from (\S+) to (\S+)$", field.metadata["values"].rule)
        for name, field in FIELDS.items()
    }
    ranges = {name: [end.replace(",", "") for end in found[0]] for name, found in ranges.items() if found}

    assert len(ranges) > 10
    assert ranges["image_memory_megabytes"] == ["100", "1000000"]
    for name, ends in ranges.items():
        low, high = (getattr(load_settings({variable(name): end}), name) for end in ends)
        for beyond in (low - 1, high + 1):
            with pytest.raises(WrongSetting):
                load_settings({variable(name): str(beyond)})
