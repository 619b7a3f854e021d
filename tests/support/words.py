"""Words to avoid and their replacements: one list for code, tests and documentation."""

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
    r"(?<!courier-)told(?! that)": "reported, shown or configured",
    r"heavy": "expensive or large",
    r"colours?": "color",
}


def _whole(pattern: str) -> str:
    """Return a pattern of words that, in names, end at an underscore: `is_refused` has one, `refusenik` has none."""
    return rf"(?<![^\W_])(?:{pattern.replace(' ', '[ _]')})(?![^\W_])"


_BANNED = {re.compile(_whole(pattern), re.IGNORECASE): instead for pattern, instead in BANNED.items()}
#: In a text of small letters, one search for all of them takes a twentieth of the time.
_ANY = re.compile(_whole("|".join(BANNED)))


def banned_in(text: str) -> list[str]:
    """Return each use of a banned word: the line's number, the word, its replacement, and the line."""
    if not _ANY.search(text.lower()):
        return []
    return [
        f"{number}: {found[0]!r}: write {instead}: {line.strip()}"
        for number, line in enumerate(text.splitlines(), start=1)
        for pattern, instead in _BANNED.items()
        if (found := pattern.search(line))
    ]
