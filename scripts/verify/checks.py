"""The list of checks, in the order in which they run."""

from __future__ import annotations

from functools import partial

from scripts.verify import images, lasting, lifecycle, machines, messages, rights, storage
from scripts.verify.runner import Check, Needs

UP = ("up",)
CHECKS: tuple[Check, ...] = (
    Check(
        name="head-no-bucket",
        proves="a HEAD of a bucket that does not exist is reported as that",
        run=storage.no_bucket,
        needs=Needs.ANY,
    ),
    *(
        Check(
            name=f"reply-queue-{seconds}s",
            proves=f"a reply queue may be used {seconds} s after its creation"
            if seconds
            else "how soon after its creation a reply queue may be used",
            run=partial(messages.reply_queue, wait_seconds=seconds),
            needs=Needs.ANY,
        )
        for seconds in (0, 1, 5)
    ),
    Check(
        name="up",
        proves="an empty account becomes a service that answers",
        run=lifecycle.up,
        needs=Needs.ANY,
    ),
    Check(name="up-again", proves="a second up changes nothing", run=lifecycle.up_again, needs=Needs.RECORDS, after=UP),
    Check(
        name="credits-standard",
        proves="after the first answer, an instance uses no CPU credits that must be paid",
        run=machines.credits_mode,
        after=UP,
    ),
    Check(
        name="round-trip",
        proves="requests do not wait for the delay of their queues",
        run=messages.round_trip,
        needs=Needs.ANY,
        after=UP,
    ),
    Check(
        name="head-wrong-region",
        proves="a bucket in another region is not taken for rejected credentials",
        run=storage.wrong_region,
        after=UP,
    ),
    Check(
        name="races",
        proves="of conditional writes at the same time exactly one wins, and S3 answers the others 412 or 409",
        run=storage.races,
        needs=Needs.ANY,
        after=UP,
    ),
    Check(
        name="races-uploads",
        proves="of uploads at the same time exactly one wins, and the others report that the object exists",
        run=storage.races_of_courier,
        needs=Needs.ANY,
        after=UP,
    ),
    Check(
        name="image-of-50-megapixels",
        proves="the largest image is worked on with sepia,sharpen,convert=png, or rejected once as out_of_memory",
        run=images.demanding_one,
        needs=Needs.ANY,
        after=UP,
    ),
    Check(
        name="two-of-50-megapixels",
        proves="two of the largest images at once (blur=5, convert=webp:80) are worked on or rejected as out_of_memory",
        run=images.demanding_two,
        needs=Needs.ANY,
        after=UP,
    ),
    Check(
        name="kill-child",
        proves="kill -9 of a child process at work costs at most the image in it",
        run=images.killed_child,
        needs=Needs.ANY,
        after=UP,
    ),
    Check(
        name="kill-tmux",
        proves="after kill -SEGV of the tmux servers, systemd has both workers back",
        run=machines.killed_tmux,
        after=UP,
    ),
    Check(
        name="deploy",
        proves="deploy puts new code into the bucket, with its SHA-256",
        run=lifecycle.deploy,
        needs=Needs.RECORDS,
        after=UP,
    ),
    Check(
        name="deploy-taken-over",
        proves="both workers run the new code, and requests are answered in the meantime",
        run=lifecycle.taken_over,
        after=("deploy",),
    ),
    Check(
        name="reboot",
        proves="after a reboot, both workers answer without help",
        run=machines.reboot,
        after=UP,
    ),
    Check(
        name="policy-client",
        proves="the client's policy allows each of its calls, and without its line each is rejected",
        run=partial(rights.policy_check, who="client"),
        after=UP,
    ),
    Check(
        name="policy-worker",
        proves="the worker's policy allows each of its calls, and without its line each is rejected",
        run=partial(rights.policy_check, who="worker"),
        after=UP,
    ),
    Check(
        name="no-ssh",
        proves="up --no-ssh closes SSH on a set-up that had it",
        run=lifecycle.no_ssh,
        needs=Needs.RECORDS,
        after=UP,
    ),
    Check(
        name="stop-start",
        proves="after stop and start, with another address, both workers answer without help",
        run=machines.stop_and_start,
        after=("no-ssh",),
    ),
    Check(
        name="session-manager",
        proves="without SSH, Session Manager reaches the instance",
        run=lifecycle.session_manager,
        after=("no-ssh", "stop-start"),
    ),
    Check(
        name="credit-balance",
        proves="the CPU credits that the instance has after all this",
        run=machines.credit_balance,
        after=UP,
    ),
    Check(
        name="long-polls",
        proves="long polls of 20 s work for an hour, and then a message arrives",
        run=lasting.long_polls,
        needs=Needs.ANY,
        is_long=True,
    ),
    Check(
        name="down-up",
        proves="up ends well within 5 s after a down, with the same names",
        run=lifecycle.down_and_up,
        needs=Needs.RECORDS,
        after=UP,
    ),
    Check(
        name="head-expired-token",
        proves="a HEAD with an expired token is reported as rejected credentials",
        run=storage.expired_token,
        after=UP,
    ),
    Check(
        name="scale-out",
        proves="a group starts a second instance when requests wait",
        run=lasting.scale_out,
        after=UP,
        is_long=True,
    ),
    Check(
        name="scale-in",
        proves="a group ends the second instance when no requests wait, and the other answers",
        run=lasting.scale_in,
        after=("scale-out",),
        is_long=True,
    ),
)
