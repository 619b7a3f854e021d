"""Both menus in a terminal of their own, through every choice."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import pexpect
import pytest

from courier.images.preview import sample
from tests.support.forkserver import ROOT
from tests.support.place import Place, wait_for

PROMPT = "Your choice: "


def choose(menu: pexpect.spawn[str], key: str) -> None:
    menu.expect_exact(PROMPT)
    menu.sendline(key)


def end(menu: pexpect.spawn[str]) -> int | None:
    menu.expect(pexpect.EOF)
    menu.close()
    return menu.exitstatus


def test_the_numbers_menu_through_every_choice(place: Place) -> None:
    place.worker("numbers_worker.py")
    menu = place.menu("numbers_client.py")

    choose(menu, "1")
    menu.expect_exact("7 numbers: 12, 7.5, -3, 1e2, 0.25, 42, 7.5")
    menu.expect(r"median .* 7\.5")
    menu.expect(r"answered in \d+\.\d{3} s")

    choose(menu, "2")
    menu.expect_exact("How many numbers")
    menu.sendline("none")
    menu.expect_exact("whole number from 1 to 50,000")
    menu.expect_exact("How many numbers")
    menu.sendline("30")
    menu.expect(r"30 numbers: .*…")
    menu.expect(r"count .* 30")

    type_numbers(menu)
    check_and_choose_percentiles(menu)
    type_at_the_menu(menu)
    choose(menu, "0")
    assert end(menu) == 0


def type_numbers(menu: pexpect.spawn[str]) -> None:
    choose(menu, "3")
    menu.expect_exact("Numbers: ")
    menu.sendline("1 2")
    menu.expect_exact("Enter to send: ")
    menu.sendline("3,x")
    menu.expect_exact("Item 2 (character 3) is 'x'")
    menu.expect_exact("Enter to send: ")
    menu.sendline("-4;5.5")
    menu.expect_exact("Enter to send: ")
    menu.sendline("")
    menu.expect_exact("4 numbers: 1, 2, -4, 5.5")
    menu.expect(r"sum .* 4\.5")


def check_and_choose_percentiles(menu: pexpect.spawn[str]) -> None:
    choose(menu, "5")
    menu.expect(r"worker answers in seconds +│ +\d")
    choose(menu, "6")
    menu.expect_exact("requestQueue-dead")
    choose(menu, "7")
    menu.expect_exact("Percentiles")
    menu.sendline("95, 101")
    menu.expect_exact("'101' is not a percentile")
    menu.sendline("95")
    choose(menu, "1")
    menu.expect(r"p95 .* 82\.6")


def type_at_the_menu(menu: pexpect.spawn[str]) -> None:
    choose(menu, "4")
    menu.expect_exact("requestQueue is empty")
    choose(menu, "seven")
    menu.expect_exact("no choice 'seven'")
    menu.expect_exact("or a list such as 1, 5, 22.")
    choose(menu, "1, 5, 22")
    menu.expect_exact("3 numbers: 1, 5, 22")
    choose(menu, "1,,22")
    menu.expect_exact("Item 2 (character 3) is empty")
    choose(menu, "")
    menu.expect_exact("Courier: numbers")


def test_the_menu_purges_after_asking(place: Place) -> None:
    place.post("requestQueue", "1,2")
    wait_for(lambda: place.depth("requestQueue") == 1)
    menu = place.menu("numbers_client.py")

    choose(menu, "4")
    menu.expect_exact(f"Delete all 1 requests in {place.named('requestQueue')}")
    menu.expect_exact("[y/N]: ")
    menu.sendline("n")
    menu.expect_exact("Nothing was deleted.")

    choose(menu, "4")
    menu.expect_exact("[y/N]: ")
    menu.sendline("y")
    menu.expect_exact(f"Purged {place.named('requestQueue')}")


def test_the_images_menu_uploads(place: Place) -> None:
    (place.folder / "cat[b].png").write_bytes(sample())
    menu = place.menu("images_client.py")

    choose(menu, "2")
    menu.expect_exact("no image in images/unprocessed/")
    menu.expect_exact("image first")
    choose(menu, "1")
    menu.expect_exact("Files (Enter")
    menu.sendline("")
    menu.expect_exact("uploaded sample.png")
    choose(menu, "1")
    menu.expect_exact("Files (Enter")
    menu.sendline("cat[b].png")
    menu.expect_exact("uploaded cat[b].png")
    place.client("s3").put_object(Bucket=place.bucket, Key="images/unprocessed/cat[b].png", Body=b"another's")
    choose(menu, "1")
    menu.expect_exact("Files (Enter")
    menu.sendline("cat[b].png")
    menu.expect_exact("cat[b].png is already")
    menu.expect_exact("another person")
    menu.expect_exact("[y/N]: ")
    menu.sendline("n")
    menu.expect_exact("Nothing was changed")


def test_the_images_menu_processes_and_downloads(place: Place) -> None:
    place.worker("images_worker.py")
    place.client("s3").put_object(Bucket=place.bucket, Key="images/unprocessed/cat[b].png", Body=sample())
    menu = place.menu("images_client.py")

    choose(menu, "2")
    menu.expect_exact("cat[b].png")
    menu.expect_exact("(Enter for cat[b].png): ")
    menu.sendline("1")
    menu.expect_exact("(Enter for grayscale): ")
    menu.sendline("sepiaa")
    menu.expect_exact("no operation 'sepiaa'")
    menu.expect_exact("Did you mean sepia? ? lists all operations.")
    menu.expect_exact("(Enter for grayscale): ")
    menu.sendline("black-and-white")
    menu.expect(r"into cat\[b\]-black-and-white\.png: 640 x 480, [\d,]+ bytes, answered in \d+\.\d{3} s")

    for said in ("downloaded cat[b]-black-and-white.png", "exists already"):
        choose(menu, "3")
        menu.expect_exact("(Enter for cat[b]-black-and-white.png): ")
        menu.sendline("")
        menu.expect_exact("Folder")
        menu.sendline("")
        menu.expect_exact(said)
    menu.expect_exact("[y/N]: ")
    menu.sendline("y")
    menu.expect_exact("downloaded")

    choose(menu, "4")
    menu.expect_exact("imageInbox is empty")
    choose(menu, "6")
    menu.expect_exact("imageInbox-dead")
    choose(menu, "0")
    assert end(menu) == 0


def until_it_waits(pid: int | None) -> None:
    """Wait until a program has used no processor time for a while: it waits for what is typed.

    A signal between readline's prompt and its wait is heard by Python only with the next key.
    """
    seen: list[tuple[float, list[str]]] = []

    def is_idle() -> bool:
        spent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        if not seen or seen[-1][1] != spent:
            seen.append((time.monotonic(), spent))
        return time.monotonic() - seen[-1][0] > 0.5

    wait_for(is_idle)


@pytest.mark.parametrize(("key", "status"), [("c", 130), ("d", 0)])
def test_ctrl_c_and_ctrl_d_leave_a_menu(place: Place, key: str, status: int) -> None:
    menu = place.menu("numbers_client.py")
    menu.expect_exact(PROMPT)

    until_it_waits(menu.pid)
    menu.sendcontrol(key)

    assert end(menu) == status


def test_after_ctrl_z_and_fg_the_prompt_is_there_again_with_what_was_typed(place: Place) -> None:
    shell = place.shell()
    shell.expect_exact("$ ")
    shell.sendline(f"{sys.executable} {ROOT / 'numbers_client.py'}")
    shell.expect_exact(PROMPT)
    shell.send("7")
    shell.expect_exact("7")

    shell.sendcontrol("z")
    shell.expect_exact("Stopped")
    shell.expect_exact("$ ")
    shell.sendline("fg")

    shell.expect_exact(f"{PROMPT}7")
    shell.send("\x7f0\r")  # the settings of line editing are there again as well
    shell.expect_exact("$ ")
    shell.sendline("echo status=$?")
    shell.expect_exact("status=0")


def test_ctrl_c_while_waiting_goes_back_to_the_menu_and_the_next_answer_is_the_right_one(place: Place) -> None:
    menu = place.menu("numbers_client.py")
    canceled = ask_and_cancel(place, menu)
    while reply_queue(place, canceled) == "responseQueue":  # until the menu has a reply queue of its own
        canceled = ask_and_cancel(place, menu)
    replies = reply_queue(place, canceled)
    attributes = {name: canceled[name]["StringValue"] for name in ("request-id", "deadline")}
    place.post(replies, '{"count": 99, "max": 99}', status="ok", **attributes)  # it comes all the same
    # The canceled poll takes it along for a moment.
    wait_for(lambda: place.depth(replies) == 1 and place.in_flight(replies) == 1)
    wait_for(lambda: place.visible(replies) == 1)

    place.worker("numbers_worker.py")
    choose(menu, "3")
    menu.expect_exact("Numbers: ")
    menu.sendline("41")
    menu.expect_exact("More")
    menu.sendline("")
    menu.expect(r"max .* 41")
    assert place.depth(replies) == 0
    choose(menu, "0")
    assert end(menu) == 0
    assert private_queues(place) == []
    assert place.depth("responseQueue") == 0


def ask_and_cancel(place: Place, menu: pexpect.spawn[str]) -> dict[str, Any]:
    """Send a request that no worker answers, and press Ctrl-C; return its attributes."""
    choose(menu, "1")
    menu.expect_exact("Waiting for the response")
    (request,) = place.collect("requestQueue")
    menu.sendcontrol("c")
    menu.expect_exact("Canceled")
    return dict(request["MessageAttributes"])


def reply_queue(place: Place, attributes: dict[str, Any]) -> str:
    return str(attributes["reply-to"]["StringValue"]).removeprefix(place.prefix)


def private_queues(place: Place) -> list[str]:
    prefix = place.named("responseQueue-")
    urls = place.client("sqs").list_queues(QueueNamePrefix=prefix).get("QueueUrls", [])
    return [url.rpartition("/")[2].removeprefix(place.prefix) for url in urls]


def test_a_menu_goes_on_whatever_becomes_of_its_reply_queue(place: Place) -> None:
    """It is purged, and deleted while a request is under way."""
    menu = place.menu("numbers_client.py")
    wait_for(lambda: private_queues(place), what="a private reply queue")
    while reply_queue(place, ask_and_cancel(place, menu)) == "responseQueue":
        pass
    (name,) = private_queues(place)
    place.client("sqs").purge_queue(QueueUrl=place.url(name))
    worker = place.worker("numbers_worker.py")
    choose(menu, "1")
    menu.expect(r"answered in \d+\.\d{3} s")
    assert worker.end() == 0

    choose(menu, "1")
    menu.expect_exact("Waiting for the response")
    wait_for(lambda: place.depth("requestQueue") == 1)
    place.client("sqs").delete_queue(QueueUrl=place.url(name))
    wait_for(lambda: place.depth("requestQueue") == 2, what="the request, sent again")
    place.worker("numbers_worker.py")
    menu.expect(r"answered in \d+\.\d{3} s")
    choose(menu, "0")
    assert end(menu) == 0
    wait_for(lambda: place.depth("requestQueue") == place.depth("responseQueue") == 0)
    assert private_queues(place) == []


def test_an_aws_error_does_not_end_a_menu(bare_place: Place) -> None:
    menu = bare_place.menu("numbers_client.py")
    choose(menu, "1")
    menu.expect_exact("requestQueue does not exist")

    bare_place.create_queues()
    bare_place.worker("numbers_worker.py")
    choose(menu, "1")
    menu.expect(r"answered in \d+\.\d{3} s")


def test_no_worker_is_said_with_how_to_start_one(place: Place) -> None:
    menu = place.menu("numbers_client.py", COURIER_TIMEOUT_SECONDS="1")

    choose(menu, "1")

    menu.expect_exact("responseQueue within 1 s")
    menu.expect_exact("python numbers_worker.py")


def paste(menu: pexpect.spawn[str], text: str) -> None:
    """Paste as terminals do that mark pastes, and press Enter."""
    menu.send(f"\x1b[200~{text}\x1b[201~")
    menu.sendline("")


def test_what_is_pasted_is_text_and_no_command(served: Place) -> None:
    menu = served.menu("numbers_client.py", TERM="xterm-256color")

    choose(menu, "3")
    menu.expect_exact("Numbers: ")
    paste(menu, "12\t7\t3\n40\t50\t60\n")
    menu.expect_exact("Enter to send: ")
    menu.sendline("")
    menu.expect_exact("6 numbers: 12, 7, 3, 40, 50, 60")

    choose(menu, "3")
    menu.expect_exact("Numbers: ")
    paste(menu, "5\n6\n\n1\n0\n")
    menu.expect_exact("Line 3 is empty")
    menu.expect_exact("Numbers: ")
    menu.sendline("1 2 3")
    menu.expect_exact("Enter to send: ")
    menu.sendcontrol("d")
    menu.expect_exact("3 numbers: 1, 2, 3")

    menu.expect_exact(PROMPT)
    paste(menu, "4\n5\n6\n")
    menu.expect_exact("3 numbers: 4, 5, 6")
    choose(menu, "0")
    assert end(menu) == 0


def test_what_is_typed_ahead_is_asked_about_where_pastes_are_not_marked(place: Place) -> None:
    place.worker("numbers_worker.py")
    menu = place.menu("numbers_client.py")

    choose(menu, "3")
    menu.expect_exact("Numbers: ")
    menu.send("12\t7\t3\n40\t50\t60\n\n1\n0\n")
    menu.expect_exact("6 numbers: 12, 7, 3, 40, 50, 60")
    menu.expect_exact("ahead: '1', '0'")
    menu.expect_exact("[y/N]: ")
    menu.sendline("n")
    menu.expect_exact("ignored")

    place.workers[0].end()
    place.post("requestQueue", "1,2")
    wait_for(lambda: place.depth("requestQueue") == 1)
    menu.expect_exact(PROMPT)
    menu.send("4\ny\n")
    menu.expect_exact("'4', 'y'.")
    menu.expect_exact("[y/N]: ")
    menu.sendline("y")
    menu.expect_exact("not taken as the answer: 'y'")
    menu.expect_exact("Delete all 1 requests")
    menu.expect_exact("[y/N]: ")
    menu.sendline("")
    menu.expect_exact("Nothing was deleted.")
    menu.expect_exact("ahead: 'y'.")
    menu.expect_exact("[y/N]: ")
    menu.sendline("n")
    choose(menu, "0")
    assert end(menu) == 0
    assert place.depth("requestQueue") == 1


def test_tab_completes_a_path_and_a_pasted_one_stays_as_it_is(place: Place) -> None:
    for name in ("cat.png", "my cat.png"):
        (place.folder / name).write_bytes(sample())
    menu = place.menu("images_client.py")

    choose(menu, "1")
    menu.expect_exact("Files (Enter")
    menu.send("ca\t")
    menu.expect_exact("cat.png")
    menu.sendline("")
    menu.expect_exact("uploaded cat.png")
    choose(menu, "1")
    menu.expect_exact("Files (Enter")
    menu.send("ca\tx\n")  # it comes at once, so the tab is no key
    menu.expect_exact("no file 'ca'")
    menu.sendline("'cat.png' my\\ cat.png")
    menu.expect_exact("already there: cat.png")
    menu.expect_exact("uploaded my cat.png")
    menu.expect_exact("2 of 2 files")
    menu.expect_exact(PROMPT)


def test_answers_can_be_edited_and_are_kept_for_the_next_session_but_for_screen_readers(place: Place) -> None:
    history = Path(place.env["HOME"], ".local/state/courier/history/numbers")
    for plain in ("1", "0"):
        assert not history.exists()
        menu = place.menu("numbers_client.py", TERM="xterm-256color", COURIER_PLAIN=plain)
        choose(menu, "3")
        menu.expect_exact("Numbers: ")
        menu.sendline("1,,2")
        menu.expect_exact("is empty")
        menu.expect_exact("Numbers: ")
        if plain == "0":
            menu.expect_exact("1,,2")  # it is there again, and is edited
            menu.send("\x7f\x7f3")
        else:
            menu.send("1,3")
        menu.sendline("")
        menu.expect_exact("More, or Enter to send: ")
        menu.sendcontrol("c")
        menu.expect_exact("back to the menu")
        choose(menu, "0")
        assert end(menu) == 0

    assert history.read_text() == '"1,3"\n'
    assert history.stat().st_mode & 0o777 == 0o600
    menu = place.menu("numbers_client.py", TERM="xterm-256color")
    choose(menu, "3")
    menu.expect_exact("Numbers: ")
    menu.send("\x1b[A")
    menu.expect_exact("1,3")
    menu.sendline(",4")
    menu.expect_exact("More, or Enter to send: ")
    assert history.read_text() == '"1,3"\n"1,3,4"\n'


def test_a_column_that_comes_at_once_is_one_list_after_a_yes_where_pastes_are_not_marked(served: Place) -> None:
    menu = served.menu("numbers_client.py")

    menu.expect_exact(PROMPT)
    menu.send("14\n15\n16\n")
    menu.expect_exact("ahead: '14', '15', '16'.")
    menu.expect_exact("Send them as one list of numbers? [y/N]: ")
    menu.sendline("y")
    menu.expect_exact("3 numbers: 14, 15, 16")
