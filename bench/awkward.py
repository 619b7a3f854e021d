"""What other tools compute for awkward lists, beside ours: the table in docs/explanation/exactness.md.

    pip install -r bench/requirements.txt
    python -m bench.awkward     measures the other tools into bench/awkward.json; then: python -m scripts.docs

Each tool reads the same one-column CSV file, the list a number a line, with its own reader as it comes, and computes
one statistic. What is rejected is shown as such.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from courier.numbers import handler
from courier.numbers.stats import of_held, summarize

#: What is asked: the list, the statistic, and what is right if that is not our answer to see.
AWKWARD: list[tuple[str, str]] = [
    ("0.1,0.2,0.3", "mean"),
    (",".join(["0.1"] * 10), "sum"),
    ("1e16,1,-1e16", "mean"),
    ("9223372036854775807,9223372036854775807", "sum"),
    ("9007199254740993,9007199254740994", "median"),
    ("1e308,1e308", "sum"),
    ("3.3,3.3,3.3", "variance"),
    ("10000000.2" + ",10000000.1,10000000.3" * 500, "stdev"),
    ("nan,1,2", "median"),
    ("1,abc,3", "max"),
]
Tool = Callable[[str, str], Any]
#: What the other tools computed.
MEASURED = Path(__file__).with_suffix(".json")


def ours(path: str, statistic: str) -> str:
    """Answer as the worker does."""
    found = summarize(handler.read(Path(path).read_text()), of_held())[statistic]
    return "none" if found is None else found.text


def numpy(path: str, statistic: str) -> object:
    """Answer with NumPy."""
    import numpy as np

    values: Any = np.loadtxt(path)
    spread = {"variance": np.var, "stdev": np.std}
    return spread[statistic](values, ddof=1) if statistic in spread else getattr(np, statistic)(values)


def pandas(path: str, statistic: str) -> object:
    """Answer with pandas."""
    import pandas as pd  # type: ignore[import-not-found,import-untyped,unused-ignore]

    names = {"variance": "var", "stdev": "std"}
    return getattr(pd.read_csv(path, header=None)[0], names.get(statistic, statistic))()


def polars(path: str, statistic: str) -> object:
    """Answer with polars."""
    import polars as pl  # type: ignore[import-not-found,unused-ignore]

    names = {"variance": "var", "stdev": "std"}
    return getattr(pl.read_csv(path, has_header=False).to_series(), names.get(statistic, statistic))()


def duckdb(path: str, statistic: str) -> object:
    """Answer with DuckDB."""
    import duckdb as db  # type: ignore[import-not-found,unused-ignore]

    names = {"mean": "avg", "variance": "var_samp", "stdev": "stddev_samp"}
    query = f"SELECT {names.get(statistic, statistic)}(column0) FROM read_csv('{path}', header=false)"  # noqa: S608  our own words
    ((found,),) = db.execute(query).fetchall()
    return found


TOOLS: dict[str, Tool] = {"Courier": ours, "NumPy": numpy, "pandas": pandas, "polars": polars, "DuckDB": duckdb}


def answer(tool: Tool, path: str, statistic: str) -> str:
    """Return what a tool says, shortened for a table."""
    try:
        found = tool(path, statistic)
    except ImportError:
        return "(not installed)"
    except AttributeError:
        raise  # a tool that is called wrongly has rejected nothing
    except Exception:  # noqa: BLE001  each has its own
        return "rejected"
    text = str(found)
    return text if len(text) <= 24 else f"{text[:10]}… ({len(text)} digits)"


def rows(tools: Collection[str] = TOOLS.keys()) -> list[list[str]]:
    """Return the table's rows, with the answers of `tools`."""
    table = []
    for text, statistic in AWKWARD:
        with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
            file.write(text.replace(",", "\n") + "\n")
            file.flush()
            answers = [answer(tool, file.name, statistic) for tool in map(TOOLS.__getitem__, tools)]
        shown = text if len(text) <= 45 else f"{text[:32]},…"
        table.append([f"`{shown}`", statistic, *answers])
    return table


def main() -> None:
    """Write what the other tools compute."""
    others = [name for name in TOOLS if name != "Courier"]
    found = [dict(zip(("list", "asked", *others), row, strict=True)) for row in rows(others)]
    MEASURED.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
