"""What exists is read as it is; what does not exist is None, and what may not be read is an error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from courier.aws import inventory
from courier.aws.inventory import AlarmState, BucketSettings, BucketState, Identity, QueueState, TopicState
from courier.errors import AccessDenied
from tests.support.fakes import FakeAws, client_error
from tests.support.stubbed import StubbedAws

ACCOUNT = "123456789012"
ITS = {"Bucket": "b", "ExpectedBucketOwner": ACCOUNT}
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:alarms"


@pytest.fixture
def aws() -> Iterator[StubbedAws]:
    made = StubbedAws()
    yield made
    made.check_all_made()


def identity(arn: str) -> Identity:
    return Identity(account=ACCOUNT, arn=arn, region="us-east-1")


def test_a_lab_is_known_by_the_role_of_its_identity() -> None:
    roles = ("voclabs/user1", "LabRole/i-1", "voclabs2/me", "Admin/voclabs")

    found = [identity(f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}").is_lab for role in roles]

    assert found == [True, True, False, False]
    assert not identity(f"arn:aws:iam::{ACCOUNT}:user/LabRole").is_lab
    assert identity("arn:aws-cn:iam::1:user/me").partition == "aws-cn"


def test_an_identity_has_the_region_of_the_connection() -> None:
    found = inventory.identity(FakeAws())

    assert (found.account, found.region) == (ACCOUNT, "us-east-1")


# Queues


def test_each_state_of_a_message_is_counted_by_itself() -> None:
    memory = FakeAws()
    sqs: Any = memory.sqs()
    sqs.create_queue(QueueName="q")
    memory.queues.put("q", *"123456")
    memory.queues.late = [60]
    memory.queues.put("q", "late")
    sqs.receive_message(QueueUrl=sqs.get_queue_url(QueueName="q")["QueueUrl"], MaxNumberOfMessages=2)

    found = inventory.queue(memory, "q")

    assert found
    assert (found.waiting, found.in_flight, found.delayed) == (4, 2, 1)
    assert found.tags is None


def test_counts_that_are_missing_are_none() -> None:
    state = QueueState(url="", attributes={})

    assert (state.waiting, state.in_flight, state.delayed) == (0, 0, 0)


def test_a_queue_whose_url_is_known_is_not_looked_up() -> None:
    memory = FakeAws()
    memory.queues.create_queue(QueueName="q")
    found = inventory.queue(memory, "q")
    assert found

    again = inventory.queue(memory, "q", url=found.url)

    assert again == found
    assert memory.queues.operations.count("get_queue_url") == 1


@pytest.mark.parametrize("call", ["get_queue_url", "get_queue_attributes"])
def test_a_queue_that_is_not_there_or_just_deleted_is_none(call: str) -> None:
    memory = FakeAws()
    memory.queues.create_queue(QueueName="q")
    memory.queues.fail(call, client_error("AWS.SimpleQueueService.NonExistentQueue"))

    assert inventory.queue(memory, "q") is None
    assert inventory.queue(memory, "other") is None


@pytest.mark.parametrize(("response", "tags"), [({}, {}), ({"Tags": {"courier": "x"}}, {"courier": "x"})])
def test_tags_that_were_read_are_a_mapping_also_without_any(
    aws: StubbedAws, response: dict[str, Any], tags: dict[str, str]
) -> None:
    aws.returns("sqs", "get_queue_url", {"QueueUrl": "https://q"}, {"QueueName": "q"})
    aws.returns("sqs", "get_queue_attributes", {}, {"QueueUrl": "https://q", "AttributeNames": ["All"]})
    aws.returns("sqs", "list_queue_tags", response, {"QueueUrl": "https://q"})

    found = inventory.queue(aws, "q", with_tags=True)

    assert found == QueueState(url="https://q", attributes={}, tags=tags)


def test_what_may_not_be_read_is_an_error_and_not_missing() -> None:
    memory = FakeAws()
    memory.queues.create_queue(QueueName="q")
    memory.queues.fail("get_queue_attributes", client_error("AccessDenied"))

    with pytest.raises(AccessDenied):
        inventory.queue(memory, "q")


def test_names_of_queues_are_those_with_a_prefix_without_their_addresses() -> None:
    memory = FakeAws()
    for name in ("replies", "replies-1", "other"):
        memory.queues.create_queue(QueueName=name)

    assert inventory.queue_names(memory, "replies-") == ["replies-1"]
    assert inventory.queue_names(memory, "none") == []


# The bucket


def test_a_bucket_belongs_to_the_set_up_of_its_tag_and_has_the_code_of_another(aws: StubbedAws) -> None:
    tags = [{"Key": "courier", "Value": "lab3"}, {"Key": "other", "Value": "x"}]
    metadata = {"courier": "lab4", "courier-content": "abc"}
    aws.returns("s3", "head_bucket", {}, ITS)
    aws.returns("s3", "get_bucket_tagging", {"TagSet": tags}, ITS)
    aws.returns("s3", "head_object", {"Metadata": metadata}, {**ITS, "Key": "deploy/current"})

    found = inventory.bucket(aws, "b", account=ACCOUNT, with_code=True)

    assert found == BucketState(name="b", owner="lab3", has_tags=True, code_owner="lab4", code="abc")


def test_a_bucket_without_tags_and_code_has_none(aws: StubbedAws) -> None:
    aws.returns("s3", "head_bucket", {}, ITS)
    aws.fails("s3", "get_bucket_tagging", "NoSuchTagSet")
    aws.fails("s3", "head_object", "404")

    assert inventory.bucket(aws, "b", account=ACCOUNT, with_code=True) == BucketState(
        name="b", owner=None, has_tags=False
    )


def test_a_bucket_that_is_not_there_is_looked_for_once(aws: StubbedAws) -> None:
    aws.fails("s3", "head_bucket", "404")

    assert inventory.bucket(aws, "b", account=ACCOUNT) is None


def test_settings_of_a_bucket_are_as_aws_says_them_without_disabled_rules(aws: StubbedAws) -> None:
    blocks = {"BlockPublicAcls": True, "IgnorePublicAcls": False}
    by_default = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    rules = [
        {
            "Status": "Enabled",
            "Filter": {"Prefix": "numbers/"},
            "Expiration": {"Days": 1},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 2},
        },
        {"Status": "Enabled", "Filter": {"Prefix": "images/"}, "Expiration": {"Days": 30}},
        {"Status": "Disabled", "Filter": {"Prefix": "a/"}, "Expiration": {"Days": 9}},
    ]
    aws.returns("s3", "get_public_access_block", {"PublicAccessBlockConfiguration": blocks}, ITS)
    aws.returns("s3", "get_bucket_encryption", {"ServerSideEncryptionConfiguration": {"Rules": [by_default]}}, ITS)
    aws.returns("s3", "get_bucket_lifecycle_configuration", {"Rules": rules}, ITS)
    aws.returns("s3", "get_bucket_policy", {"Policy": "{}"}, ITS)

    found = inventory.bucket_settings(aws, "b", account=ACCOUNT)

    lifecycle = [("images/", 30, 0), ("numbers/", 1, 2)]
    assert found == BucketSettings(blocks=blocks, encryption="AES256", lifecycle=lifecycle, policy="{}")


def test_settings_that_are_not_set_are_empty(aws: StubbedAws) -> None:
    aws.fails("s3", "get_public_access_block", "NoSuchPublicAccessBlockConfiguration")
    aws.fails("s3", "get_bucket_encryption", "ServerSideEncryptionConfigurationNotFoundError")
    aws.fails("s3", "get_bucket_lifecycle_configuration", "NoSuchLifecycleConfiguration")
    aws.fails("s3", "get_bucket_policy", "NoSuchBucketPolicy")

    found = inventory.bucket_settings(aws, "b", account=ACCOUNT)

    assert found == BucketSettings(blocks={}, encryption="", lifecycle=[], policy="")


# Alarms


def test_a_state_of_an_alarm_is_one_word_in_lower_case(aws: StubbedAws) -> None:
    alarms = [
        {"AlarmName": "a", "StateValue": "INSUFFICIENT_DATA", "StateReason": "New."},
        {"AlarmName": "b", "StateValue": "OK"},
    ]
    aws.returns("cloudwatch", "describe_alarms", {"MetricAlarms": alarms}, {"AlarmNames": ["a", "b", "c"]})

    assert inventory.alarms(aws, ["a", "b", "c"]) == [
        AlarmState(name="a", state="insufficient-data", reason="New."),
        AlarmState(name="b", state="ok", reason=""),
    ]


def test_an_address_gets_mail_once_it_is_confirmed(aws: StubbedAws) -> None:
    states = ("PendingConfirmation", f"{TOPIC}:1", f"{TOPIC}:2")
    subscriptions = [{"SubscriptionArn": state} for state in states]
    aws.returns("sns", "list_subscriptions_by_topic", {"Subscriptions": subscriptions}, {"TopicArn": TOPIC})
    aws.fails("sns", "list_subscriptions_by_topic", "NotFound")

    assert inventory.topic(aws, TOPIC) == TopicState(confirmed=2, pending=1)
    assert inventory.topic(aws, TOPIC) is None
