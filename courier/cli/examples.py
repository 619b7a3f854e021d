"""The examples in the help of each command."""

from __future__ import annotations

#: The examples of a command; %(prog)s is the program with the command.
NUMBERS: dict[str, tuple[str, ...]] = {
    "send": (
        '%(prog)s "1, 5, 22"',
        "%(prog)s 1 5 22 --percentile 90,95,99",
        '%(prog)s "1,5; 2,25" --decimal-comma --json',
        "cut -f 3 table.tsv | %(prog)s -",
    ),
    "sample": ("%(prog)s", "%(prog)s --json"),
    "random": ("%(prog)s 100 --seed 7", "%(prog)s 1000 --percentile 90,99 --json"),
    "file": (
        "%(prog)s prices.txt",
        "%(prog)s sales.csv --column price",
        "%(prog)s sales.csv --column 3 --skip-header --decimal-comma",
        "zcat measurements.gz | %(prog)s - --percentile 90,95,99",
    ),
    "batch": ("%(prog)s lists.txt > results.jsonl", "seq 9 | %(prog)s - --csv"),
}
IMAGES: dict[str, tuple[str, ...]] = {
    "upload": ("%(prog)s cat.jpg dog.png", "%(prog)s cat.jpg --replace"),
    "list": ("%(prog)s", "%(prog)s processed --json"),
    "process": (
        "%(prog)s cat.jpg --operations sepia",
        "%(prog)s cat.jpg dog.png --operations grayscale,resize=800x600:cover",
    ),
    "download": ("%(prog)s cat-sepia.jpg --to out",),
    "run": (
        "%(prog)s cat.jpg --operations sepia --to out",
        "%(prog)s 'photos/*.jpg' --operations thumbnail=800,convert=webp:80 --to out",
        "%(prog)s photos --recursive --operations web --operations sepia --to out",
    ),
    "sheet": ("%(prog)s", "%(prog)s cat.jpg --to out"),
    "show": ("%(prog)s cat-sepia.jpg", "%(prog)s cat.jpg cat-sepia.jpg"),
    "operations": ("%(prog)s", "%(prog)s --json"),
}
QUEUES: dict[str, tuple[str, ...]] = {
    "purge": ("%(prog)s", "%(prog)s --yes"),
    "dead": ("%(prog)s", "%(prog)s --json"),
    "redrive": ("%(prog)s", "%(prog)s --yes"),
    "check": ("%(prog)s", "%(prog)s --json --timeout 5"),
}


def epilog(lines: tuple[str, ...]) -> str:
    """Return the examples as the end of a command's help."""
    return "\n".join(["examples:", *(f"  {line}" for line in lines)])
