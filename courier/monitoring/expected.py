"""What a set-up should have, as aws_setup.sh describes it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

from courier.aws.inventory import Identity
from courier.errors import WrongUsage
from courier.messaging.application import Application

#: The region in which a Learner Lab has a key of its own.
LAB_KEY_REGION = "us-east-1"


@dataclass(frozen=True, kw_only=True)
class Expected:
    """Names, documents and options of a set-up. A text that is empty is not known, and is not checked.

    Documents have @ACCOUNT@, @REGION@, @PARTITION@ and @BUCKET@ for what depends on the account.
    """

    #: The name of the set-up, and the options that select it: they end the commands that fixes name.
    name: str
    flags: str = ""
    #: The folder .local of run_local.sh, if this is the set-up on the local AWS.
    local: str = ""
    #: Empty: queues and bucket only.
    ec2: str = ""
    group: str = ""
    key: str = ""
    lab_key: str = ""
    profile: str = ""
    lab_profile: str = ""
    role: str = ""
    role_policy: str = ""
    template: str = ""
    policy: str = ""
    #: The names of the alarms, and of the topic through which they send mail.
    alarms: str = ""
    topic: str = ""
    #: Only for the doctor:
    attributes: str = ""
    dead_attributes: str = ""
    max_deliveries: str = ""
    #: Each rule: prefix, days, days of unfinished uploads.
    lifecycle: str = ""
    tls: str = ""
    trust: str = ""
    worker: str = ""
    client: str = ""
    ssh_cidr: str = ""
    no_ssh: str = ""
    address_url: str = ""
    workers: str = ""
    code: str = ""

    @classmethod
    def of_words(cls, words: Iterable[str]) -> Expected:
        """Return what NAME=VALUE words say. Raises: WrongUsage."""
        given = {name: value for name, _, value in (word.partition("=") for word in words)}
        unknown = given.keys() - {one.name for one in fields(cls)}
        if unknown or "name" not in given:
            raise WrongUsage(f"Unknown or missing: {', '.join(sorted(unknown)) or 'name'}.", hint="Use ./aws_setup.sh")
        return cls(**given)

    def key_in(self, identity: Identity) -> str:
        """Return the name of the SSH key."""
        return self.lab_key if identity.is_lab and identity.region == LAB_KEY_REGION else self.key

    def profile_in(self, identity: Identity) -> str:
        """Return the name of the instance profile."""
        return self.lab_profile if identity.is_lab else self.profile

    def command(self, verb: str) -> str:
        """Return the command of this set-up with this verb."""
        return f"./run_local.sh {verb}" if self.local else f"./aws_setup.sh {verb}{self.flags}"

    @property
    def repair(self) -> str:
        """The command that creates what is missing and repairs what has drifted."""
        return "rm -f .local/setup.stamp; ./run_local.sh up" if self.local else self.up()

    @property
    def recreate(self) -> str:
        """The command that creates a missing queue: run_local.sh looks for them at each start."""
        return self.command("up") if self.local else self.repair

    def up(self, options: str = "") -> str:
        """Return the command that makes this set-up, with further options, each after a blank."""
        return self.command(f"up{'' if self.ec2 else ' --no-ec2'}{options}")

    def document(self, name: str, identity: Identity, bucket: str) -> object:
        """Return a policy's document for this account; None if it is not known."""
        text = str(getattr(self, name))
        values = {
            "ACCOUNT": identity.account,
            "REGION": identity.region,
            "PARTITION": identity.partition,
            "BUCKET": bucket,
        }
        for placeholder, value in values.items():
            text = text.replace(f"@{placeholder}@", value)
        return json.loads(text) if text else None

    def policy_arn(self, identity: Identity) -> str:
        """Return the ARN of the clients' policy."""
        return f"arn:{identity.partition}:iam::{identity.account}:policy/{self.policy}"

    def topic_arn(self, identity: Identity) -> str:
        """Return the ARN of the alarms' topic."""
        return f"arn:{identity.partition}:sns:{identity.region}:{identity.account}:{self.topic}"

    def buckets(self, identity: Identity, given: str | None, *, is_real: bool) -> list[str]:
        """Return the names that the bucket may have, the likeliest first."""
        plain = f"{self.name}-{identity.account}-{identity.region}"
        return [given] if given else [f"{plain}-an", plain] if is_real else [plain]


def queue_names(applications: Sequence[Application]) -> list[str]:
    """Return the names of all queues of the applications, dead-letter queues last."""
    served = [name for one in applications for name in (one.requests, one.replies)]
    return served + [one.dead_letters for one in applications]
