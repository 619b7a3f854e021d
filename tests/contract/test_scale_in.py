"""Protection from scale-in, of a real group of machines on moto; the other engine knows no such groups."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest

from courier.aws import scale_in
from courier.aws.scale_in import ScaleInProtection
from courier.aws.session import Aws
from tests.support.engines import REGION, Engine
from tests.support.place import Place, wait_for


class Group:
    """An Auto Scaling group of one machine."""

    def __init__(self, engine: Engine) -> None:
        self.name = f"group-{secrets.token_hex(4)}"
        self.client = client(engine, "autoscaling")
        ec2 = client(engine, "ec2")
        ec2.create_launch_template(
            LaunchTemplateName=self.name, LaunchTemplateData={"ImageId": "ami-1", "InstanceType": "t3.micro"}
        )
        self.client.create_auto_scaling_group(
            AutoScalingGroupName=self.name,
            LaunchTemplate={"LaunchTemplateName": self.name, "Version": "$Latest"},
            MinSize=1,
            MaxSize=2,
            AvailabilityZones=[f"{REGION}a"],
        )
        self.instance_id: str = self._machine["InstanceId"]

    @property
    def is_protected(self) -> bool:
        return bool(self._machine["ProtectedFromScaleIn"])

    @property
    def _machine(self) -> dict[str, Any]:
        found = self.client.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])
        return dict(found["AutoScalingGroups"][0]["Instances"][0])


def client(engine: Engine, service: str) -> Any:
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=engine.url,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


@pytest.fixture(autouse=True)
def _own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))


@pytest.fixture
def group(moto: Engine) -> Group:
    return Group(moto)


@pytest.fixture
def aws(moto: Engine, monkeypatch: pytest.MonkeyPatch) -> Aws:
    for name, value in moto.environment().items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    return Aws()


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    monkeypatch.setattr(scale_in, "CHECK_SECONDS", 0.02)
    monkeypatch.setattr(scale_in, "IDLE_SECONDS", 0.2)
    event = threading.Event()
    yield event
    event.set()


def test_a_machine_is_protected_while_one_of_its_workers_works(
    aws: Aws, group: Group, stopped: threading.Event
) -> None:
    busy = {"numbers": False, "images": False}
    for name in tuple(busy):
        one = ScaleInProtection(
            aws, group=group.name, instance_id=group.instance_id, is_busy=partial(busy.__getitem__, name)
        )
        threading.Thread(target=one.run, args=(stopped,), daemon=True).start()

    assert not group.is_protected
    busy |= {"numbers": True, "images": True}
    wait_for(lambda: group.is_protected, what="protection")
    busy["numbers"] = False
    assert not stopped.wait(0.6)
    assert group.is_protected
    busy["images"] = False
    wait_for(lambda: not group.is_protected, what="the end of protection")


def test_a_group_that_is_not_there_is_reported_and_costs_nothing(
    aws: Aws, group: Group, caplog: pytest.LogCaptureFixture
) -> None:
    one = ScaleInProtection(aws, group="nowhere", instance_id=group.instance_id, is_busy=lambda: True)

    one._protect(1.0)
    one._protect(2.0)
    one.unprotect()

    assert caplog.text.count("not protected from scale-in") == 1


def test_a_worker_protects_its_machine_and_gives_it_back_when_it_stops(
    place: Place, moto: Engine, group: Group
) -> None:
    for service in ("AUTO_SCALING", "STS"):
        place.env[f"AWS_ENDPOINT_URL_{service}"] = moto.url
    worker = place.worker(
        "tests/workers/slow_numbers_worker.py",
        COURIER_SCALING_GROUP=group.name,
        COURIER_INSTANCE_ID=group.instance_id,
    )
    place.post("requestQueue", "slow 2")

    wait_for(lambda: group.is_protected, what="protection")
    place.collect("responseQueue")
    assert worker.end() == 0

    assert not group.is_protected
