"""The images client as a command, a real worker behind a real queue and a real bucket."""

from __future__ import annotations

import io
import json
import os
import random
import resource
import signal
import time
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

from courier.images.preview import sample
from courier.images.results import INDEX
from tests.support.place import Place, wait_for
from tests.support.rows import rows

CLIENT = "images_client.py"
WORKER = "images_worker.py"


def test_the_sample_goes_all_the_way_without_a_file_of_the_users(place: Place) -> None:
    place.worker(WORKER)

    done = place.run(CLIENT, "run")

    assert done.returncode == 0, done.stderr
    with Image.open(place.folder / "sample-grayscale.png") as result:
        pixels = result.tobytes()
    assert pixels == Image.open(io.BytesIO(sample())).convert("L").tobytes()
    assert done.stdout.startswith("sample.png -> sample-grayscale.png: 640 x 480, ")


def test_upload_list_process_download_one_by_one(place: Place) -> None:
    place.worker(WORKER)
    (place.folder / "cat.png").write_bytes(sample())
    (place.folder / "out").mkdir()

    uploaded = place.run(CLIENT, "upload", "cat.png", "--json")
    listed = place.run(CLIENT, "list")
    processed = place.run(CLIENT, "process", "cat.png", "--operations", "black-and-white", "--json")
    results = place.run(CLIENT, "list", "processed", "--json")
    downloaded = place.run(CLIENT, "download", "cat-black-and-white.png", "--to", "out")

    assert json.loads(uploaded.stdout)["name"] == "cat.png"
    assert "unprocessed: 1" in listed.stdout
    assert json.loads(processed.stdout)["result"] == "cat-black-and-white.png"
    assert json.loads(results.stdout)["name"] == "cat-black-and-white.png"
    assert downloaded.returncode == 0, downloaded.stderr
    with Image.open(place.folder / "out/cat-black-and-white.png") as result:
        assert result.mode == "1"


def test_several_images_one_of_them_bad(place: Place) -> None:
    place.worker(WORKER)
    for name in ("a.png", "c.png"):
        (place.folder / name).write_bytes(sample())
    (place.folder / "b.png").write_text("not an image")

    done = place.run(CLIENT, "run", "a.png", "b.png", "c.png", "--json")

    assert done.returncode == 1
    assert [row["name"] for row in rows(done.stdout, "images") if row["error"]] == ["b.png"]
    summary, failed = done.stderr.splitlines()[-2:]
    assert summary.startswith("2 of 3 images, ")
    assert failed == "1 failed: b.png"
    assert sorted(path.name for path in place.folder.glob("*-grayscale.png")) == ["a-grayscale.png", "c-grayscale.png"]


def test_a_batch_goes_through_folders_and_patterns_and_does_again_only_what_is_missing(place: Place) -> None:
    worker = place.worker(WORKER)
    (place.folder / "in").mkdir()
    for number in range(12):
        (place.folder / f"in/p{number:02}.png").write_bytes(sample())
    (place.folder / "in/notes.txt").write_text("not an image")
    arguments = ("--operations", "thumbnail=40,convert=webp:60", "--to", "out")

    first = place.run(CLIENT, "run", "in", *arguments)
    (place.folder / "out/p03.png.thumbnail-40-q60.webp").unlink()
    again = place.run(CLIENT, "run", "in/p0?.png", *arguments, "--json")
    nothing = place.run(CLIENT, "run", "in/*.tiff", *arguments)

    assert first.returncode == again.returncode == 0, first.stderr + again.stderr
    assert len(list((place.folder / "out").glob("*.webp"))) == 12
    assert first.stdout.count(" -> out/p") == 12
    assert "1 file skipped: in/notes.txt" in first.stderr
    assert [row["name"] for row in rows(again.stdout, "images") if not row["was_there"]] == ["in/p03.png"]
    assert nothing.returncode == 2
    assert "no image in in/*.tiff" in nothing.stderr
    worker.end()
    assert worker.log.count("image ok") == 13


def test_the_same_work_is_done_once_and_another_source_is_never_taken_for_it(place: Place) -> None:
    store = place.client("s3").put_object
    place.worker(WORKER)
    source = store(Bucket=place.bucket, Key="images/unprocessed/cat.png", Body=sample())
    options = json.dumps({"operations": "thumbnail", "etag": source["ETag"]})
    the_same = json.dumps({"operations": "thumbnail=200"})

    place.post("imageInbox", "cat.png", request_id="1", options=options)
    (first,) = place.collect("imageOutbox")
    made = place.client("s3").head_object(Bucket=place.bucket, Key="images/processed/cat-thumbnail-200.png")
    place.post("imageInbox", "cat.png", request_id="2", options=the_same)
    (second,) = place.collect("imageOutbox")
    again = place.client("s3").head_object(Bucket=place.bucket, Key="images/processed/cat-thumbnail-200.png")
    store(Bucket=place.bucket, Key="images/unprocessed/cat.png", Body=bitmap())
    place.post("imageInbox", "cat.png", request_id="3", options=options)
    (third,) = place.collect("imageOutbox")
    place.post("imageInbox", "cat.png", request_id="4", options=the_same)
    (fourth,) = place.collect("imageOutbox")

    assert first["Body"] == second["Body"] == fourth["Body"] == "cat-thumbnail-200.png"
    assert made["LastModified"] == again["LastModified"]
    details = [json.loads(one["MessageAttributes"]["details"]["StringValue"]) for one in (first, second, fourth)]
    assert details[0] == details[1]
    assert details[0]["etag"] == made["ETag"]
    assert (details[0]["width"], details[0]["height"], details[0]["notes"]) == (200, 150, [])
    assert details[2]["etag"] != details[0]["etag"]
    assert third["Body"].startswith("?Error. 'cat.png' in images/unprocessed/ of the bucket was replaced")


def test_two_clients_with_names_have_the_same_file_name_and_do_not_meet(place: Place) -> None:
    worker = place.worker(WORKER)
    found = {}
    for client, color in (("anna", "red"), ("bob", "blue"), ("", "white")):
        folder = place.folder / f"of-{client}"
        folder.mkdir()
        env = {"COURIER_NAME": client}
        Image.new("RGB", (4, 4), color).save(folder / "cat.png")
        run = place.run(CLIENT, "run", f"{folder}/cat.png", "--operations", "negate", "--to", f"{folder}/out", env=env)
        again = place.run(CLIENT, "process", "cat.png", "--operations", "negate", "--json", env=env)
        listed = place.run(CLIENT, "list", "--json", env=env)
        assert run.returncode == again.returncode == 0, run.stderr + again.stderr
        assert json.loads(again.stdout)["name"] == "cat.png"
        assert json.loads(again.stdout)["was_there"] is False
        assert [json.loads(line)["name"] for line in listed.stdout.splitlines()] == ["cat.png"]
        with Image.open(folder / "out/cat-negate.png") as result:
            found[client] = result.convert("RGB").getpixel((0, 0))
    place.post("imageInbox", "cat.png")

    assert found == {"anna": (0, 255, 255), "bob": (255, 255, 0), "": (0, 0, 0)}
    assert place.collect("imageOutbox")[0]["Body"] == "cat-grayscale.png"
    everyone = place.run(CLIENT, "list", "processed", "--all").stdout
    assert all(f"{folder}cat-negate.png" in everyone for folder in ("anna/", "bob/", " "))
    assert "--all" in place.run(CLIENT, "list").stderr
    assert len([line for line in worker.log.splitlines() if " for anna" in line]) == 2


def test_operations_are_listed_with_their_help(place: Place) -> None:
    shown = place.run(CLIENT, "operations")
    listed = [json.loads(line) for line in place.run(CLIENT, "operations", "--json").stdout.splitlines()]

    assert "resize=WxH|N%[:FIT[:GRAVITY]]" in shown.stdout
    assert {"grayscale", "web", "print", "lab3"} <= {row["operation"] for row in listed}


def test_what_is_no_image_is_rejected_before_it_travels(place: Place) -> None:
    (place.folder / "a.png").write_text("not an image")

    done = place.run(CLIENT, "upload", "a.png")

    assert done.returncode == 1
    assert "not an image" in done.stderr
    assert "Contents" not in place.client("s3").list_objects_v2(Bucket=place.bucket)


def test_an_object_is_replaced_only_on_request(place: Place) -> None:
    (place.folder / "cat.png").write_bytes(sample())
    place.run(CLIENT, "upload", "cat.png")

    same = place.run(CLIENT, "upload", "cat.png")
    (place.folder / "cat.png").write_bytes(bitmap())
    other = place.run(CLIENT, "upload", "cat.png")
    replaced = place.run(CLIENT, "upload", "cat.png", "--replace")

    assert same.returncode == 0
    assert "already there: cat.png" in same.stdout
    assert other.returncode == 2
    assert "cat.png is already" in other.stderr
    assert "--replace" in other.stderr
    assert replaced.returncode == 0


def test_the_sample_takes_no_other_images_place(place: Place) -> None:
    first, second = place.run(CLIENT, "upload"), place.run(CLIENT, "upload")
    place.client("s3").put_object(Bucket=place.bucket, Key="images/unprocessed/sample.png", Body=b"mine")
    third = place.run(CLIENT, "upload")

    assert (first.returncode, second.returncode, third.returncode) == (0, 0, 2)
    assert "sample.png is already" in third.stderr


def test_a_file_is_overwritten_only_on_request(place: Place) -> None:
    place.client("s3").put_object(Bucket=place.bucket, Key="images/processed/cat.png", Body=b"new")
    (place.folder / "cat.png").write_bytes(b"mine")

    again = place.run(CLIENT, "download", "cat.png")
    kept = (place.folder / "cat.png").read_bytes()
    replaced = place.run(CLIENT, "download", "cat.png", "--replace")

    assert again.returncode == 2
    assert "cat.png exists already. Use --replace" in again.stderr
    assert kept == b"mine"
    assert replaced.returncode == 0
    assert (place.folder / "cat.png").read_bytes() == b"new"


@pytest.mark.parametrize("name", ["../evil.png", "/evil.png", "..", ".bashrc", "a\\evil.png", "evil\x1b[2J.png"])
def test_no_name_leads_out_of_the_folder(place: Place, name: str) -> None:
    place.client("s3").put_object(Bucket=place.bucket, Key="images/processed/" + name, Body=b"evil")
    (place.folder / "out").mkdir()

    done = place.run(CLIENT, "download", name, "--to", "out", "--replace")

    assert done.returncode == 1
    assert "The name " in done.stderr
    assert "\x1b" not in done.stderr
    assert list((place.folder / "out").iterdir()) == []
    assert not (place.folder / "evil.png").exists()


def test_a_worker_that_answers_an_escaping_name_is_not_followed(place: Place) -> None:
    (place.folder / "cat.png").write_bytes(sample())
    place.run(CLIENT, "upload", "cat.png")
    process = place.start(CLIENT, "process", "cat.png")
    (request,) = place.collect("imageInbox")

    place.post(
        "imageOutbox", "../../x.png", request_id=request["MessageAttributes"]["request-id"]["StringValue"], status="ok"
    )

    assert process.wait() == 1


def test_control_characters_in_the_bucket_do_not_reach_the_terminal(place: Place) -> None:
    place.client("s3").put_object(Bucket=place.bucket, Key="images/processed/a\x1b[31m[/b].png", Body=b"x")

    plain = place.run(CLIENT, "list", "processed", "--all")
    as_json = place.run(CLIENT, "list", "processed", "--all", "--json")

    assert r"a\x1b[31m[/b].png" in plain.stdout
    assert "\x1b" not in plain.stdout + as_json.stdout
    assert json.loads(as_json.stdout)["name"] == "a\x1b[31m[/b].png"


def test_a_name_sent_manually_is_answered_as_the_first_version_was(place: Place) -> None:
    place.client("s3").put_object(Bucket=place.bucket, Key="images/unprocessed/cat.png", Body=sample())
    place.worker(WORKER)

    place.post("imageInbox", "cat.png")
    place.post("imageInbox", "nowhere.png")
    place.post("imageInbox", "../images/processed/cat.png")

    bodies = sorted(message["Body"] for message in place.collect("imageOutbox", 3))
    assert bodies[0].startswith("?Error. The name '../images/processed/cat.png' points")
    assert bodies[1].startswith("?Error. There is no 'nowhere.png' in images/unprocessed/")
    assert bodies[2] == "cat-grayscale.png"
    assert place.client("s3").head_object(Bucket=place.bucket, Key="images/processed/cat-grayscale.png")


def test_a_source_that_was_replaced_by_an_older_file_has_a_new_result_and_anothers_upload_stays(place: Place) -> None:
    place.worker(WORKER)
    source = place.folder / "dog.png"
    source.write_bytes(sample())
    arguments = ("run", "dog.png", "--operations", "flip", "--json")

    first, again = place.run(CLIENT, *arguments), place.run(CLIENT, *arguments)
    Image.open(source).resize((50, 40)).save(source)
    os.utime(source, (1, 1))
    third = place.run(CLIENT, *arguments)

    assert [rows(done.stdout, "images")[0]["was_there"] for done in (first, again, third)] == [False, True, False]
    with Image.open(place.folder / "dog-flip.png") as made:
        assert made.size == (50, 40)
    stored = place.client("s3").get_object(Bucket=place.bucket, Key="images/unprocessed/dog.png")["Body"].read()
    assert stored == sample()


def test_no_file_of_the_users_is_overwritten_or_taken_for_a_result(place: Place) -> None:
    place.worker(WORKER)
    (place.folder / "photo.png").write_bytes(sample())
    own = place.folder / "photo-300x200.png"
    own.write_bytes(b"mine")
    arguments = ("run", "photo.png", "--operations", "resize=300x200")

    rejected = place.run(CLIENT, *arguments)
    elsewhere = place.run(CLIENT, *arguments, "--to", "out")

    assert (rejected.returncode, rejected.stdout) == (2, "")
    assert "photo-300x200.png exists" in rejected.stderr
    assert "--replace" in rejected.stderr
    assert own.read_bytes() == b"mine"
    assert elsewhere.returncode == 0
    replaced = place.run(CLIENT, *arguments, "--replace")
    assert replaced.returncode == 0
    assert own.read_bytes() == (place.folder / "out/photo-300x200.png").read_bytes()


def test_a_folder_with_subfolders_is_done_once_and_every_file_in_it_accounted_for(place: Place) -> None:
    place.worker(WORKER)
    for name in ("a.jfif", "b.jpe", "sub/a.jfif"):
        (place.folder / name).parent.mkdir(exist_ok=True)
        photo = Image.new("RGB", (16, 8), (len(name) * 9, 0, 0))
        photo.save(place.folder / name, "JPEG")
    (place.folder / "c.apng").write_bytes(sample())
    for name in ("d.heic", "e.dng", "f.nef"):
        (place.folder / name).write_bytes(b"")

    first = place.run(CLIENT, "run", ".", "--recursive", "--json")
    again = place.run(CLIENT, "run", ".", "--recursive", "--json")

    results = ["a-grayscale.jfif", "b-grayscale.jpe", "c-grayscale.apng", "sub/a-grayscale.jfif"]
    found = [path.relative_to(place.folder).as_posix() for path in place.folder.rglob("*-grayscale*")]
    assert sorted(found) == results
    for done, was_there in ((first, False), (again, True)):
        assert done.returncode == 0, done.stderr
        ran = [row for row in rows(done.stdout, "images") if row["step"] == "run"]
        assert [(row["path"], row["was_there"]) for row in ran] == [(path, was_there) for path in results]
        assert "d.heic (HEIC" in done.stderr
        assert "e.dng, f.nef (camera raw" in done.stderr


def test_a_run_that_is_killed_again_and_again_ends_like_an_undisturbed_one(place: Place) -> None:
    """With KILLED_RUN_FILES=1000, of as many files."""
    count = int(os.environ.get("KILLED_RUN_FILES", "40"))
    place.worker(WORKER, "--concurrency", "2")
    (place.folder / "in").mkdir()
    for number in range(count):
        Image.new("RGB", (12, 8), (number % 256, number // 256, 7)).save(place.folder / f"in/{number}.png")
    arguments = ("run", "in", "--operations", "flip", "--to")

    def results() -> int:
        return len(list((place.folder / "out").glob("*.png")))

    for least in sorted(random.sample(range(1, count), 3)):
        process = place.start(CLIENT, *arguments, "out")
        wait_for(partial(lambda least, ends: results() >= least or ends() is not None, least, process.poll))
        process.kill()
        process.wait()
    last = place.run(CLIENT, *arguments, "out")
    undisturbed = place.run(CLIENT, *arguments, "whole")

    assert (last.returncode, undisturbed.returncode) == (0, 0), last.stderr
    assert all_files(place.folder / "out") == all_files(place.folder / "whole")
    assert results() == count


def all_files(folder: Path) -> dict[str, bytes]:
    """Return all files but the index, whose lines tell of every try."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != INDEX}


def test_ctrl_c_says_how_many_are_done(place: Place) -> None:
    (place.folder / "in").mkdir()
    for number in range(5):
        (place.folder / f"in/{number}.png").write_bytes(sample())
    process = place.start(CLIENT, "run", "in", "--to", "out", "--operations", "flip")
    wait_for(lambda: place.depth("imageInbox") == 5)

    process.send_signal(signal.SIGINT)
    _, said = process.communicate()

    assert process.returncode == 130
    assert "0 of 5 images" in said
    assert "again" in said


def test_uploads_take_folders_and_patterns_and_no_pipes(place: Place) -> None:
    (place.folder / "in").mkdir()
    for name in ("a.png", "b.png"):
        (place.folder / "in" / name).write_bytes(sample())
    os.mkfifo(place.folder / "pipe.png")

    done = place.run(CLIENT, "upload", "in/*.png", "pipe.png", "--json")

    found = rows(done.stdout, "images")
    assert [row["name"] for row in found] == ["a.png", "b.png", "pipe.png"]
    assert "is not a file" in found[2]["error"]


def test_a_broken_image_is_rejected_and_the_worker_goes_on(place: Place) -> None:
    client = place.client("s3")
    client.put_object(Bucket=place.bucket, Key="images/unprocessed/cut.png", Body=sample()[:5000])
    client.put_object(Bucket=place.bucket, Key="images/unprocessed/good.png", Body=sample())
    place.worker(WORKER)

    done = place.run(CLIENT, "process", "cut.png", "good.png", "--json")

    broken, good = rows(done.stdout, "images")
    assert done.returncode == 1
    assert "damaged or cut short" in broken["error"]
    assert broken["reason"] == "corrupt"
    assert good["result"] == "good-grayscale.png"


def test_an_image_larger_than_the_worker_allows_is_rejected(place: Place) -> None:
    place.client("s3").put_object(Bucket=place.bucket, Key="images/unprocessed/cat.png", Body=sample())
    place.worker(WORKER, COURIER_IMAGE_MAX_MEGAPIXELS="0.1")

    done = place.run(CLIENT, "process", "cat.png")

    assert done.returncode == 1
    assert "at most 0.1 million" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["process", "cat.png", "--operations", "sepiaa"], 1, "no operation 'sepiaa'"),
        (["upload", "nowhere.png"], 2, "nowhere.png cannot be read: No such file"),
        (["download", "cat.png", "--to", "worker.log"], 2, "worker.log is not a folder"),
        (["run", "--to", "worker.log"], 2, "worker.log is not a folder"),
        (["download", "cat.png"], 1, "no 'cat.png' in images/processed/"),
        (["process", "cat.png", "--timeout", "1"], 3, "python images_worker.py"),
        ([], 2, "needs a terminal"),
    ],
)
def test_exit_statuses_and_sentences(place: Place, arguments: list[str], status: int, said: str) -> None:
    (place.folder / "worker.log").write_text("")

    done = place.run(CLIENT, *arguments)

    assert done.returncode == status
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_bucket_is_status_4_with_what_creates_it(bare_place: Place) -> None:
    bare_place.create_queues()

    done = bare_place.run(CLIENT, "list")

    assert done.returncode == 4
    assert "./aws_setup.sh bucket" in done.stderr


def test_a_request_whose_bucket_is_missing_is_rejected_with_the_reason(bare_place: Place) -> None:
    bare_place.create_queues()
    bare_place.worker(WORKER)

    bare_place.post("imageInbox", "cat.png")

    (message,) = bare_place.collect("imageOutbox")
    assert "does not exist" in message["Body"]
    assert "./aws_setup.sh" in message["Body"]


def test_a_purge_empties_the_inbox(place: Place) -> None:
    place.post("imageInbox", "cat.png")

    done = place.run(CLIENT, "purge", "--yes")

    assert done.returncode == 0
    assert place.depth("imageInbox") == 0


def test_a_request_waits_for_its_worker(place: Place) -> None:
    place.client("s3").put_object(Bucket=place.bucket, Key="images/unprocessed/cat.png", Body=sample())
    process = place.start(CLIENT, "process", "cat.png", "--json")
    wait_for(lambda: place.depth("imageInbox") == 1)

    place.worker(WORKER)

    assert process.wait() == 0


def test_a_request_whose_bucket_cannot_be_reached_for_now_is_done_later(place: Place) -> None:
    place.client("s3").put_object(Bucket=place.bucket, Key="images/unprocessed/cat.png", Body=sample())
    cut_off = place.worker(WORKER, AWS_ENDPOINT_URL_S3="http://127.0.0.1:1")
    place.post("imageInbox", "cat.png", request_id="mine")
    cut_off.until_logged("Waiting and retrying. (working)")
    assert cut_off.end() == 0

    place.worker(WORKER)

    (message,) = place.collect("imageOutbox")
    assert message["Body"] == "cat-grayscale.png"


def test_an_image_that_breaks_its_process_is_rejected_and_the_worker_goes_on(place: Place) -> None:
    worker = place.worker("tests/workers/mischievous_images_worker.py", COURIER_IMAGE_SECONDS="1")
    names = ("hang.png", "crash.png", "eat.png", "fault.png", "escape.png", "good.png")
    for name in names:
        place.client("s3").put_object(Bucket=place.bucket, Key=f"images/unprocessed/{name}", Body=sample())

    for name in names:
        place.post("imageInbox", name, request_id=name)

    answers = {
        message["MessageAttributes"]["request-id"]["StringValue"]: message["Body"].removeprefix("?Error. ")
        for message in place.collect("imageOutbox", len(names))
    }
    assert "took more than 1 s" in answers["hang.png"]
    assert "crashed" in answers["crash.png"]
    assert "more than 1000 MB" in answers["eat.png"]
    assert answers["fault.png"].startswith("Internal error")
    assert "'../outside.png' points into another folder" in answers["escape.png"]
    assert answers["good.png"] == "good-grayscale.png"
    assert "ZeroDivisionError" in worker.log
    assert worker.end() == 0


def test_a_full_disk_is_waited_out_and_reported_once(place: Place) -> None:
    worker = place.worker(WORKER, COURIER_TIME_LIMIT_SECONDS="2")
    place.client("s3").put_object(Bucket=place.bucket, Key="images/unprocessed/cat.bmp", Body=bitmap())
    room = resource.prlimit(worker.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(worker.process.pid, resource.RLIMIT_FSIZE, (20_000, room[1]))

    place.post("imageInbox", "cat.bmp")
    worker.until_logged("no space for temporary files. Free some in /")
    listening_since = time.monotonic()
    wait_for(lambda: time.monotonic() - listening_since > 3, what="more time than the work itself may take")
    resource.prlimit(worker.process.pid, resource.RLIMIT_FSIZE, room)

    (message,) = place.collect("imageOutbox")
    assert message["Body"] == "cat.bmp.grayscale.png"
    assert worker.log.count("no space for temporary files") == 1
    assert "space again after" in worker.log
    wait_for(lambda: place.depth("imageInbox") == 0)


def bitmap() -> bytes:
    """Return the sample image as a BMP: 921,654 bytes."""
    file = io.BytesIO()
    Image.open(io.BytesIO(sample())).convert("RGB").save(file, "BMP")
    return file.getvalue()
