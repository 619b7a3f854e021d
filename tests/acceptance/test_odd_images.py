"""Hostile and broken images, through bucket, queue and worker: each is answered, and the worker goes on."""

from __future__ import annotations

import json

from courier.errors import Reason
from courier.images.preview import sample
from tests.support.odd import corpus
from tests.support.place import WAIT_SECONDS, Place


def test_every_odd_image_is_answered_and_the_worker_goes_on(place: Place) -> None:
    store = place.client("s3").put_object
    worker = place.worker("images_worker.py", COURIER_IMAGE_SECONDS="5", COURIER_IMAGE_MEMORY_MEGABYTES="600")
    files = dict(corpus(cuts=5, flips=4))
    options = json.dumps({"operations": "grayscale,thumbnail=40"})
    for name, content in files.items():
        store(Bucket=place.bucket, Key=f"images/unprocessed/{name}", Body=content)
        place.post("imageInbox", name, request_id=name, options=options)

    answers = {
        message["MessageAttributes"]["request-id"]["StringValue"]: message
        for message in place.collect("imageOutbox", count=len(files), seconds=5 * WAIT_SECONDS)
    }

    assert answers.keys() == files.keys()
    rejected = {
        name: message["MessageAttributes"].get("reason", {}).get("StringValue")
        for name, message in answers.items()
        if message["Body"].startswith("?Error. ")
    }
    for name, reason in rejected.items():
        assert reason in set(Reason), (name, answers[name]["Body"])
    certain = ("bomb", "zero", "wide", "empty", "one-byte", "page", "script", "vector", "scans", "frames", "zip")
    assert [name for name in files if name.startswith(certain) and name not in rejected] == []
    assert {name: reason for name, reason in rejected.items() if name.startswith(("tail", "lie"))} == {}
    store(Bucket=place.bucket, Key="images/unprocessed/good.png", Body=sample())
    place.post("imageInbox", "good.png")
    (message,) = place.collect("imageOutbox")
    assert message["Body"] == "good-grayscale.png"
    assert "failed" not in worker.log
