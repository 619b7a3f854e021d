"""Alarms of aws_setup.sh --alarm-mail, on moto."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.setup.test_whole_setup import Account
from tests.support.engines import Engine
from tests.support.place import ROOT
from tests.support.rows import rows

MAIL = "operator@example.org"
#: The services whose calls only alarms need, and what IAM calls an action otherwise than the API.
SERVICES = {"cloudwatch", "sns"}


@pytest.fixture
def account(moto: Engine, tmp_path: Path) -> Account:
    return Account(moto, tmp_path)


def names(account: Account) -> set[str]:
    kinds = ("oldest", "dead", "no-worker")
    return {f"courier-{account.name}-{one}-{kind}" for one in ("numbers", "images") for kind in kinds}


def test_alarms_are_made_repaired_and_removed(account: Account) -> None:
    given = ("--no-ec2", "--alarm-mail", MAIL)
    made = account.done("up", *given)
    check_alarms(account)
    check_topic_and_dashboard(account)
    assert f"AWS sends {MAIL} a message with a link" in made
    assert "; 0 changes were made" in account.done("up", *given)

    cloudwatch = account.client("cloudwatch")
    dead = f"courier-{account.name}-numbers-dead"
    cloudwatch.disable_alarm_actions(AlarmNames=[dead])
    cloudwatch.delete_alarms(AlarmNames=[f"courier-{account.name}-images-no-worker"])
    # Without the option, too: alarms that were made once are kept as they should be.
    repaired = account.done("up", "--no-ec2")
    assert repaired.count("+ aws ") == repaired.count("+ aws cloudwatch put-metric-alarm") == 2
    check_alarms(account)

    cloudwatch.set_alarm_state(AlarmName=dead, StateValue="ALARM", StateReason="one is there")
    sick = account.run("status", "--no-ec2", "--json")
    found = {row["name"]: row for row in rows(sick.stdout, "aws-setup-status") if row["kind"] == "alarm"}
    assert sick.returncode == 1
    assert found.keys() == names(account)
    assert {name for name, row in found.items() if row["verdict"] == "wrong"} == {dead}

    repair_what_lost_its_topic(account)
    assert f"dashboard courier-{account.name}\n" in account.done("down", "--yes", "--no-ec2")
    nothing_is_left(account)
    topic = f"courier-{account.name}-alarms"
    account.client("sns").create_topic(Name=topic, Tags=[{"Key": "courier", "Value": account.name}])
    assert f"This will be removed:\n  topic {topic}\n+ aws" in account.done("down", "--yes", "--no-ec2")
    nothing_is_left(account)
    every_action_is_in_the_list_of_permissions(account)


def repair_what_lost_its_topic(account: Account) -> None:
    """Delete the topic by hand, have it made again, and delete it once more."""
    sns, topic = account.client("sns"), f"arn:aws:sns:us-east-1:123456789012:courier-{account.name}-alarms"
    sns.delete_topic(TopicArn=topic)
    status = account.run("status", "--no-ec2", "--json")
    (row,) = [row for row in rows(status.stdout, "aws-setup-status") if row["kind"] == "topic"]
    assert (row["state"], "--alarm-mail" in row["fix"]) == ("missing", True)

    made = account.done("up", "--no-ec2")

    assert made.count("+ aws ") == made.count("+ aws sns create-topic") == 1
    assert "give an address again" in made
    sns.delete_topic(TopicArn=topic)


def check_alarms(account: Account) -> None:
    topic = f"arn:aws:sns:us-east-1:123456789012:courier-{account.name}-alarms"
    found = account.client("cloudwatch").describe_alarms(AlarmNames=sorted(names(account)))["MetricAlarms"]
    assert {one["AlarmName"] for one in found} == names(account)
    assert all((one["AlarmActions"], one["ActionsEnabled"]) == ([topic], True) for one in found)
    alarms = {one["AlarmName"].removeprefix(f"courier-{account.name}-"): one for one in found}
    oldest, dead, stuck = (alarms[f"numbers-{kind}"] for kind in ("oldest", "dead", "no-worker"))
    assert (oldest["MetricName"], oldest["Threshold"]) == ("ApproximateAgeOfOldestMessage", 120)
    assert oldest["Dimensions"] == [{"Name": "QueueName", "Value": account.queues[0]}]
    assert dead["Dimensions"] == [{"Name": "QueueName", "Value": f"{account.queues[0]}-dead"}]
    assert (dead["MetricName"], dead["Threshold"]) == ("ApproximateNumberOfMessagesVisible", 0)
    metrics = {one["Id"]: one for one in stuck["Metrics"]}
    assert metrics["stuck"]["Expression"] == "IF(waiting > 0 AND inflight < 1, 1, 0)"
    assert [metrics[name]["MetricStat"]["Metric"]["MetricName"] for name in ("waiting", "inflight")] == [
        "ApproximateNumberOfMessagesVisible",
        "ApproximateNumberOfMessagesNotVisible",
    ]
    assert stuck["EvaluationPeriods"] == 3


def check_topic_and_dashboard(account: Account) -> None:
    topic = f"arn:aws:sns:us-east-1:123456789012:courier-{account.name}-alarms"
    subscribed = account.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert [(one["Protocol"], one["Endpoint"]) for one in subscribed] == [("email", MAIL)]
    body = account.client("cloudwatch").get_dashboard(DashboardName=f"courier-{account.name}")["DashboardBody"]
    widgets = json.loads(body)["widgets"]
    shown = {metric[3] for widget in widgets for metric in widget["properties"]["metrics"]}
    assert len(widgets) == 4
    assert {account.queues[0], f"{account.queues[0]}-dead"} < shown


def nothing_is_left(account: Account) -> None:
    cloudwatch = account.client("cloudwatch")
    assert cloudwatch.describe_alarms(AlarmNames=sorted(names(account)))["MetricAlarms"] == []
    boards = cloudwatch.list_dashboards()["DashboardEntries"]
    assert f"courier-{account.name}" not in [one["DashboardName"] for one in boards]
    topics = account.client("sns").list_topics()["Topics"]
    assert not [one for one in topics if one["TopicArn"].endswith(f":courier-{account.name}-alarms")]


def every_action_is_in_the_list_of_permissions(account: Account) -> None:
    listed = set(re.findall(r"`(\w+:\w+)`", (ROOT / "docs/reference/permissions.md").read_text()))
    made = {
        f"{service}:{''.join(word.title() for word in call.split('-'))}"
        for service, call, *_ in (one for one in account.calls if len(one) > 1)
        if service in SERVICES
    }
    assert len(made) == 11
    assert made <= listed


def test_a_topic_of_this_name_that_is_not_ours_stays(account: Account) -> None:
    sns = account.client("sns")
    topic = sns.create_topic(Name=f"courier-{account.name}-alarms")["TopicArn"]

    rejected = account.run("plan", "--no-ec2", "--alarm-mail", MAIL)
    account.done("down", "--yes", "--no-ec2")

    assert rejected.returncode == 1
    assert "was not created by" in rejected.stderr
    assert sns.get_topic_attributes(TopicArn=topic)["Attributes"]["TopicArn"] == topic


def test_an_up_without_alarms_needs_no_right_to_look_for_them(account: Account) -> None:
    denied = {"sns list-tags-for-resource": "(AuthorizationError) not authorized to perform it"}
    account.inject(denied)
    assert "changes were made" in account.done("up", "--no-ec2")
    account.inject(denied)
    wanted = account.run("up", "--no-ec2", "--alarm-mail", MAIL)
    assert wanted.returncode == 1
    assert "no permission for sns:list-tags-for-resource" in wanted.stderr


def test_an_address_is_checked_before_anything_is_called(account: Account) -> None:
    wrong = account.run("up", "--alarm-mail", "nobody")

    assert wrong.returncode == 2
    assert "--alarm-mail is 'nobody'" in wrong.stderr
    assert not (account.folder / "calls").exists()
