from __future__ import annotations

from pathlib import Path

from tests.support.messages import GOLDEN, literals, messages, whole_messages

TESTS = Path(__file__).parents[1]
#: Not ours to say: what the AWS CLI and Pillow say, which tests have them say, and a command to the line editor.
MOST_WHOLE = 3


def test_every_message_stands_in_the_golden_file() -> None:
    """Write it again with `python -m tests.support.messages`, and review what changed as prose."""
    assert messages().splitlines() == GOLDEN.read_text().splitlines()


def test_tests_look_for_facts_and_not_for_whole_messages() -> None:
    """Words may change without a test: they are reviewed in the golden file. A test names the fact that matters."""
    whole = whole_messages(least_words=4)

    found = [
        f"{path.relative_to(TESTS)}: {text}"
        for path in sorted(TESTS.glob("*/test_*.py"))
        for text in literals(path)
        if whole.fullmatch(text.removeprefix("?Error. ").replace("\\", ""))
    ]

    assert len(found) <= MOST_WHOLE, "\n".join(found)
