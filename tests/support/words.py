"""Words that the glossary has others for: the same list for the code and for the pages."""

from __future__ import annotations

import re

#: A pattern of whole words, case-insensitive, and the word to use instead.
BANNED = {
    r"pictures?": "image",
    r"askers?": "client or requester",
    r"asked for": "requested",
    r"refus(?:e|es|ed|al|als|ing)": "reject",
    r"troubles?": "error or outage",
    r"in hand": "in flight",
    r"put(?:s|ting)? aside|bur(?:y|ies|ied)": "move to the dead-letter queue",
    r"whoever": "operator, client or thread",
    r"left off|leaves? off": "canceled",
    r"anew": "again",
    r"reckon\w*": "calculate",
    r"so many|so-manieth": "the number N",
    r"posted by hand": "sent manually",
    r"of ours": "own",
    r"his own": "the user's",
    r"no good": "invalid",
    r"the like": "similar",
    r"cures?": "hint or fix",
    r"mend(?:s|ed|ing)?": "fix",
    r"its words|last words": "message",
    r"by and by": "later",
    r"custody|darkroom|gallery": "the module's name",
    r"patience": "the time limit's name",
    r"(?<!\")slips?(?!\")|slipped": "parse error",
    r"dead keys|fresh keys": "credentials",
    r"for ever": "forever",
    r"somebody": "another user or program",
    r"stumbles?|stumbled": "fails on",
}
_BANNED = {re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE): instead for pattern, instead in BANNED.items()}


def banned_in(text: str) -> list[str]:
    """Return the lines that have a banned word, each with its number and with what to write instead."""
    return [
        f"{number}: {found[0]!r}: write {instead}: {line.strip()}"
        for number, line in enumerate(text.splitlines(), start=1)
        for pattern, instead in _BANNED.items()
        if (found := pattern.search(line))
    ]
