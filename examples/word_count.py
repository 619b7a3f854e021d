"""Count the words of a text of any length: `word_count.py BUCKET FILE`.

A text that fits no message goes through the bucket, and so does a response; both are deleted afterwards.
Worker and client are in one program here, which is also how to try a handler.
"""

import json
import sys
from collections import Counter
from pathlib import Path

import boto3

import courier


def count(request: courier.Request) -> courier.Response:
    """Return how often each word occurs, as JSON, and how many words there are."""
    words = Counter(request.body.lower().split())
    if not words:
        raise courier.Rejected("There are no words.", hint="Name a file with text in it.")
    return courier.Response(body=json.dumps(dict(words.most_common())), details={"words": words.total()})


def main(bucket: str, path: str) -> None:
    """Count the words of one file."""
    boto3.client("s3").create_bucket(Bucket=bucket)
    application = courier.Application("words", requests="wordRequests", replies="wordReplies", bucket=bucket)
    courier.create_queues(application)
    config = courier.WorkerConfig(isolate=True)
    with courier.Worker(count, application, config), courier.Requester(application, timeout=120) as requester:
        response = requester.request(Path(path).read_text(encoding="utf-8"))
    print(response.details["words"], "words in", path)
    for word, times in list(json.loads(response.body).items())[:10]:
        print(f"{times:8} {word}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case [bucket, path]:
            main(bucket, path)
        case _:
            sys.exit(__doc__)
