"""One column of rows, however cells are separated and quoted; what is no number is named by line and column."""

from __future__ import annotations

import pytest

from courier.errors import NotANumberList
from courier.numbers.columns import MAX_LINE, Column
from courier.numbers.notation import Notation


def values(text: str, wanted: str, *, skip_header: bool = False, block: int = 7, **notation: bool) -> list[str]:
    column = Column(wanted=wanted, skip_header=skip_header, notation=Notation(**notation))
    return list(column.values(text[start : start + block] for start in range(0, len(text), block)))


@pytest.mark.parametrize("block", [1, 2, 1_000])
@pytest.mark.parametrize(
    ("text", "wanted", "found"),
    [
        ("1,2\n3,4\n", "2", "2 4"),
        ("1,2,\r\n3,4,\r\n", "1", "1 3"),
        ("1;2\r3;4\r", "2", "2 4"),
        ("1\t2\n3\t4", "2", "2 4"),
        ("1  2.5\n 3   4\n\n \n", "2", "2.5 4"),
        ('"1","2"\n"3","4"\n', "2", "2 4"),
        ('"a, b",2\n"c\nd",4\n', "2", "2 4"),
        ('"1"\n"2"\n', "1", "1 2"),
        ("id,price\n1,2.5\n2,7\n", "price", "2.5 7"),
        ('"id";"the price"\n1;2\n', "the price", "2"),
        ("id price\n1 2\n", "price", "2"),
        ("sep=;\n1;2\n3;4\n", "2", "2 4"),
        ("sep=|\nid|n\n1|2\n", "n", "2"),
        ("1, 2\n3, -4e5\n", "2", "2 -4e5"),
    ],
)
def test_a_column_is_read(text: str, wanted: str, found: str, block: int) -> None:
    assert values(text, wanted, block=block) == found.split()


def test_a_header_is_skipped_and_numbers_are_read_as_they_are_written() -> None:
    assert values("x,y\n1,2\n", "2", skip_header=True) == ["2"]
    assert values('"1,5";"2,25"\n7;8', "2", decimal_comma=True) == ["2.25", "8"]
    assert values('a,"1,5"\nb,"2,5"\n', "2", decimal_comma=True) == ["1.5", "2.5"]
    assert values("1,5\n2,5\n", "1", decimal_comma=True) == ["1.5", "2.5"]
    assert values('a,"1,234.5"\n', "2", thousands=True) == ["1234.5"]


@pytest.mark.parametrize(
    ("text", "wanted", "said"),
    [
        ("1,2\n3,x\n", "2", "Line 2, column 2 is 'x'"),
        ("1,2\n3,\n", "2", "Line 2, column 2 is empty"),
        ("1 2 3\n4\t\t6\n", "2", "Line 2, column 2 is empty"),
        ("1,2\n3\n", "2", "Line 2 has one column, .*column 2"),
        ("1,2\n", "5", "Line 1 has 2 columns, .*column 5"),
        ("1,2\n\n3,4\n", "2", "Line 2 is empty"),
        ("id,price\n1,2\n", "2", "Line 1, column 2 is 'price'.*--skip-header"),
        ("id,price\n1,2\n", "cost", "no column 'cost'.*'id', 'price'"),
        ("", "cost", "no column 'cost'"),
        ("cost,id,cost\n1,2,3\n", "cost", "2 columns are called 'cost'. Say which: 1 or 3"),
        ('1,"2"x\n', "2", "Line 1 is not a row"),
        ("sep=;\n1;2\n1;5%", "2", "Line 3, column 2 is '5%'.*percent"),
        ("1,1.5\n", "2", "NOTHING"),
    ],
)
def test_what_has_no_number_there_is_rejected(text: str, wanted: str, said: str) -> None:
    if said == "NOTHING":
        assert values(text, wanted) == ["1.5"]
        return
    with pytest.raises(NotANumberList) as raised:
        values(text, wanted)

    assert pytest.importorskip("re").search(said, raised.value.sentence)


def test_a_line_without_end_is_rejected_before_it_fills_the_memory() -> None:
    with pytest.raises(NotANumberList, match="Line 2 has more than"):
        values("1,2\n" + "1," * MAX_LINE, "1", block=100_000)
