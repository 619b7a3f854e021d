"""The IAM actions of aws_setup.sh are those of the calls it makes."""

from __future__ import annotations

import botocore.session

from scripts import setup_actions


def test_actions_are_calls_that_the_services_have() -> None:
    actions = setup_actions.setup_actions()
    session = botocore.session.get_session()

    for service, names in actions.items():
        known = set(session.get_service_model(service).operation_names)
        besides = setup_actions._BESIDES.get(service, ())
        other = set(setup_actions._S3.values()) if service == "s3" else set(besides)
        assert set(names) <= known | other, service

    assert {"StartInstances", "StopInstances", "GetConsoleOutput"} <= set(actions["ec2"])
    assert {"CreateQueue", "TagQueue"} <= set(actions["sqs"])
    assert "CreateDefaultVpc" not in actions["ec2"]
