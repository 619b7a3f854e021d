"""What a set-up should have depends on its options, the account, and whether that is a Learner Lab's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from courier.aws.inventory import Identity
from courier.errors import WrongUsage
from courier.monitoring.expected import Expected, queue_names
from tests.support.good_set_up import ACCOUNT, APPLICATIONS

CHINA = Identity(account=ACCOUNT, arn=f"arn:aws-cn:iam::{ACCOUNT}:user/me", region="cn-north-1")
LAB = Identity(account=ACCOUNT, arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/voclabs/user1", region="us-east-1")
OWN = replace(LAB, arn=f"arn:aws:iam::{ACCOUNT}:user/me")


def test_words_give_names_and_values_may_have_an_equals_sign() -> None:
    assert Expected.of_words(["name=x", "flags= --name=x"]).flags == " --name=x"


@pytest.mark.parametrize(("words", "named"), [(["name=x", "color=blue"], "color"), ([], "name")])
def test_words_that_mean_nothing_are_rejected(words: list[str], named: str) -> None:
    with pytest.raises(WrongUsage, match=named):
        Expected.of_words(words)


def test_only_a_lab_has_a_key_and_a_profile_of_its_own_and_the_key_in_one_region() -> None:
    expected = Expected(name="x", key="own", lab_key="vockey", profile="p", lab_profile="LabInstanceProfile")
    elsewhere = replace(LAB, region="us-west-2")

    assert [expected.key_in(one) for one in (OWN, LAB, elsewhere)] == ["own", "vockey", "own"]
    assert [expected.profile_in(one) for one in (OWN, LAB)] == ["p", "LabInstanceProfile"]


def test_documents_and_arns_are_those_of_the_account() -> None:
    text = '{"a": "@PARTITION@ @REGION@ @ACCOUNT@ @BUCKET@"}'
    expected = Expected(name="x", tls=text, policy="x-client", topic="x-alarms")

    assert expected.document("tls", CHINA, "b") == {"a": f"aws-cn cn-north-1 {ACCOUNT} b"}
    assert expected.document("trust", CHINA, "b") is None
    assert expected.policy_arn(CHINA) == f"arn:aws-cn:iam::{ACCOUNT}:policy/x-client"
    assert expected.topic_arn(CHINA) == f"arn:aws-cn:sns:cn-north-1:{ACCOUNT}:x-alarms"


def test_a_bucket_of_the_account_is_looked_for_first_unless_a_name_is_given() -> None:
    expected, plain = Expected(name="x"), f"x-{ACCOUNT}-us-east-1"

    assert expected.buckets(OWN, None, is_real=True) == [f"{plain}-an", plain]
    assert expected.buckets(OWN, None, is_real=False) == [plain]
    assert expected.buckets(OWN, "given", is_real=True) == ["given"]


def test_commands_that_make_a_set_up_make_it_as_it_was() -> None:
    bare, whole = Expected(name="x", flags=" --name x"), Expected(name="x", ec2="yes")

    assert bare.up(" --alarm-mail A") == "./aws_setup.sh up --no-ec2 --alarm-mail A --name x"
    assert whole.repair == whole.recreate == "./aws_setup.sh up"


def test_dead_letter_queues_are_named_last() -> None:
    assert queue_names(APPLICATIONS) == [
        *("requestQueue", "responseQueue", "imageInbox", "imageOutbox"),
        *("requestQueue-dead", "imageInbox-dead"),
    ]
