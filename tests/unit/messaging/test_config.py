"""How a worker works: by default, and as the settings say."""

from __future__ import annotations

import pytest

from courier.errors import WrongSetting, WrongUsage
from courier.messaging.config import WorkerConfig
from courier.settings import Settings, load_settings


def test_a_config_is_what_is_chosen_and_the_settings() -> None:
    environment = {
        "COURIER_POLL_SECONDS": "7",
        "COURIER_VISIBILITY_SECONDS": "41",
        "COURIER_GRACE_SECONDS": "8",
        "COURIER_MAX_DELIVERIES": "3",
        "COURIER_TIME_LIMIT_SECONDS": "9",
        "COURIER_CONCURRENCY": "6",
        "COURIER_SCALING_GROUP": "group",
        "COURIER_INSTANCE_ID": "i-0123456789abcdef0",
    }

    config = WorkerConfig.from_settings(load_settings(environment), concurrency=None, capacity=40, stop_when_empty=True)

    assert (config.concurrency, config.capacity, config.stop_when_empty) == (6, 40, True)
    assert (config.poll_seconds, config.visibility_seconds, config.grace_seconds) == (7, 41, 8)
    assert (config.max_deliveries, config.time_limit_seconds) == (3, 9)
    assert (config.scaling_group, config.instance_id) == ("group", "i-0123456789abcdef0")


def test_times_without_a_limit_of_sqs_may_have_fractions() -> None:
    config = WorkerConfig(grace_seconds=0.5, time_limit_seconds=0.25)

    assert (config.grace_seconds, config.time_limit_seconds) == (0.5, 0.25)


def test_the_defaults_are_those_of_the_settings() -> None:
    assert WorkerConfig() == WorkerConfig.from_settings(Settings())


def test_without_settings_the_environment_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURIER_CONCURRENCY", "9")
    assert WorkerConfig.from_settings().capacity == 9
    monkeypatch.setenv("COURIER_CONCURRENCY", "none")
    with pytest.raises(WrongSetting, match="COURIER_CONCURRENCY"):
        WorkerConfig.from_settings()


@pytest.mark.parametrize(
    "wrong",
    [
        {"concurrency": 0},
        {"concurrency": "4"},
        {"concurrency": True},
        {"capacity": -3},
        {"poll_seconds": 21},
        {"visibility_seconds": 0},
        {"visibility_seconds": 2.5},
        {"max_deliveries": 1},
        {"grace_seconds": None},
        {"time_limit_seconds": 0},
    ],
)
def test_a_value_with_which_nothing_would_be_processed_is_rejected(wrong: dict[str, object]) -> None:
    ((name, value),) = wrong.items()

    with pytest.raises(WrongUsage, match=rf"^{name} is {value!r}, "):
        WorkerConfig(**wrong)  # type: ignore[arg-type]


def test_a_range_has_all_its_digits() -> None:
    with pytest.raises(WrongUsage, match="from 50 to 1,000,000"):
        WorkerConfig(memory_megabytes=0)


def test_an_isolated_handler_has_its_own_processes() -> None:
    with pytest.raises(WrongUsage, match="processes of its own"):
        WorkerConfig(isolate=True, processes=2)
