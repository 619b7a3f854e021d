"""Coded pixels that nothing in the test requirements can write: AV1 of 10 and 12 bits, arithmetic JPEG.

Each is `smooth(channels, bits, (16, 16))`; the AV1 was made by libavif (imagecodecs), without loss, and the JPEG by
libjpeg-turbo's cjpeg -arithmetic.
"""

from __future__ import annotations

import base64

#: Bits and channels: the configuration record, and the coded pixels.
AV1: dict[tuple[int, int], tuple[bytes, bytes]] = {
    (10, 3): (
        b"\x81 @\x00",
        base64.b64decode(
            "EgAKCDgM//nAQ0AIMtUCEAAA0CYH/WYep3tMf/bNOQDHG5r56xsYcCTjf0JKCf4q6UBCPcf/OBsx582q8cLk4dXA1/rDqk0wiqNm"
            "IhIeI+SDApfTiFhhGR/GQQmoWKkE4TDDs/lPzQbC5YWSPhCxuaU9mhibUvgkdMokXoQcQ47Z6gKIsAioVpypDTPvdC3tlBAavUst"
            "x3sTlfOpLGNqeNqy6JdZRpxLxlOhn3rGopP06WHaElcQjWbWsQJAoJnMKt3CVh3Mk6AEu17f4Lqc5/7oUAMGEfoJaTMn4rltiaS5"
            "LGU6hFX+waQmbiCpeU4/RM1OP/0LsQ/pMS3zeHBJ8/Cq4ZQrLgm7q7fa8qonNUOif1Ui81hRllruGagrmg0v3lTSxXCKvrfTnkju"
            "PSbY3cwAUMgzVsZ3otiFuesVa6HYuBaxG3+0/UbOHWRBiIdj+XWhQVfuVbqegrf8du/w+LfCqB4="
        ),
    ),
    (10, 1): (
        b"\x81\x00\\\x00",
        base64.b64decode(
            "EgAKCBgM//ngIaBUMowBEABTsNMmcN7L7JDqAPtPYXevJfj04X+onpwP6jP4kzq/39qAnRT4U/Fn2vigsR4SEWJJHPTqoTWjGRQx"
            "D8VdV2ZYOHQBwCbTquP0lyb1oiMoRmH0Z60fzon8P70UklHnGt9TaTEeNc575L97Y2WBDb5YUbPsGIuahw6oS4fcrB8P+0ydLUDu"
            "cLCbbeA="
        ),
    ),
    (12, 3): (
        b"\x81@`\x00",
        base64.b64decode(
            "EgAKCFgM//jQENACMsECEAAA0CYIEOA0bT/0P/59PAmq89DIClZdn4t1eDKjLY+hD0Qre7nfRyYA/d6utYcxafGmm81tC18cFssF"
            "aAc7BfWGMxREH+0m+tzlF9nt6ctG3g18mdLy/5WrvdhOsSJX1W53A1nIiDGlzD6V3QLEMmNovA4IYmspZZNySLzAkn+2TkC9pa81"
            "omwESTOw/Kr+0ptBBFmBOlEc9ajV90zxYDYXwFDOrYD7BTTRtVXX9UIo6m5nRvF3qB5hOxIHcG3/NAH23iZXtfj1FoRnNgJIs17+"
            "RrSAdUvn+0DFZxnagPwWa72qkmAfg+6If3OtJnDm4uCCqk+QSid4vbJzcqoAKfubCrGnVTkVjmlzAZBGhhs/8PWg7XeOF0ku+Rc2"
            "hIdZAfdHMt0QnFKUJknX4jjy+qN7G9bRv6GdDjKgJq0EQ+Jg"
        ),
    ),
    (12, 1): (
        b"\x81@|\x00",
        base64.b64decode(
            "EgAKCFgM//jwENAqMrsBEAD4g0Fqn2Ot//rRpADmscsqR2hi5u7IQuEjzb7de2UuDm3N3dlviHWsG/TOxEM9aLuZL37AcMSgeVU1"
            "3i3c/pKjQDBh5PVjo3CmeCqT9/ScUVxbC++5JA5eX5WNb/KmpdonrxdR/ZGSRV8PVWkRRA087B79vFKKV4k53lDS8k08S+x/5gJM"
            "s8TjCQMZi1Ep/95mDrLf6tZ7dPCzepQhwjh23yhsR1TbSLFqzLyXa7n88Gu9aBzfrf1VAQ=="
        ),
    ),
}
#: A JPEG in RGB, 4:4:4, of quality 95.
ARITHMETIC = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBwYGCAsICQoK"
    "CgoKBggLDAsKDAkKCgr/2wBDAQICAgICAgUDAwUKBwYHCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoK"
    "CgoKCgoKCgr/yQARCAAQABADAREAAhEBAxEB/8wACgAQEAUBEBEF/9oADAMBAAIRAxEAPwD/ANydMcBAwdVRWTNDL7PMJLOTj4Q3"
    "FCoSCDq/pu7oO4ctw6O1g6D/2Q=="
)
#: A JPEG in RGB, 4:4:4, of quality 95.
PROGRESSIVE_ARITHMETIC = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBwYGCAsICQoK"
    "CgoKBggLDAsKDAkKCgr/2wBDAQICAgICAgUDAwUKBwYHCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoK"
    "CgoKCgoKCgr/ygARCAAQABADAREAAhEBAxEB/8wABgAQARD/2gAMAwEAAhADEAAAAf8AuR80KoxD38a9bkD/zAAEEAX/2gAIAQEA"
    "AQUCFjFAFSwEnsQN/8wABBEF/9oACAEDAQE/AcD/zAAEEQX/2gAIAQIBAT8BwP/MAAQQBf/aAAgBAQAGPwIKewGg/8wABBAF/9oA"
    "CAEBAAE/IdN4wP/aAAwDAQACAAMAAAAQspD/zAAEEQX/2gAIAQMBAT8QwP/MAAQRBf/aAAgBAgEBPxDA/8wABBAF/9oACAEBAAE/"
    "EKXkEOHQRMrQ/9k="
)
