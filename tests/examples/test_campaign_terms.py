"""What the campaign reads: lists of recipients as they come, rates, and what is wrong with either."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from campaign_terms import BadTerms, Rate, Recipient, read_rate, read_recipients

ANN = Recipient("ann@a.example", "acme", "pro")
BOB = Recipient("bob@b.example", "bolt", "free")


@pytest.mark.parametrize(
    "text",
    [
        "email,tenant,plan\nann@a.example,acme,pro\nbob@b.example,bolt,free\n",
        "plan,age,email,tenant,note\npro,41,ann@a.example,acme,\nfree,,bob@b.example,bolt,late\n",
        '\ufeffEmail, Tenant ,PLAN\r\n"ann@a.example", acme ,pro\r\n\r\nbob@b.example,bolt,free\r\n',
    ],
)
def test_columns_are_known_by_their_names(tmp_path: Path, text: str) -> None:
    """In any order and spelling, beside others, with a byte order mark, with empty lines."""
    (tmp_path / "list.csv").write_text(text, encoding="utf-8")
    assert read_recipients(tmp_path / "list.csv") == [ANN, BOB]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "No such file"),
        (b"email,tenant,plan\n\xff@a.example,acme,pro\n", "no UTF-8 text"),
        ("", "no column, or two, email and tenant and plan"),
        ("email,plan\nann@a.example,pro\n", "no column, or two, tenant; it names email, plan"),
        ("email,tenant,plan,plan\nann@a.example,acme,pro,pro\n", "no column, or two, plan"),
        ("email,tenant,plan\n", "nobody is on this list"),
        ("email,tenant,plan\nann@a.example,acme\n", "row 2 has 2 values where the first line names 3"),
        ("email,tenant,plan\nann,acme,pro\n", "row 2: 'ann' is no address"),
        ("email,tenant,plan\nann@a.example, ,pro\n", "row 2: ann@a.example has no tenant"),
        ("email,tenant,plan\nann@a.example,acme,gold\n", "row 2: the plan 'gold' is none of pro, free"),
        ("email,tenant,plan\nann@a.example,acme,pro\nANN@a.example,bolt,pro\n", "row 3: ANN@a.example stands in row 2"),
        ('email,tenant,plan\n"ann@a.example,acme,pro\n', "unexpected end of data"),
    ],
)
def test_a_bad_list_is_refused(tmp_path: Path, text: str | bytes | None, message: str) -> None:
    """The error is typed, and names the file, the row and the fault."""
    file = tmp_path / "list.csv"
    if text is not None:
        file.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(BadTerms, match=r"list\.csv: ") as caught:
        read_recipients(file)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "rate", "limiter_ms"),
    [
        ("5/1s", Rate(5, 1_000), 1_100),
        ("50/200ms", Rate(50, 200), 260),
        ("1000/1h", Rate(1000, 3_600_000), 3_780_050),
        ("1/744h", Rate(1, 2_678_400_000), 2_678_400_000),
    ],
)
def test_a_limiter_has_a_margin(text: str, rate: Rate, limiter_ms: int) -> None:
    """A twentieth more, and 50 ms; no limiter's interval is over 31 days."""
    assert read_rate(text) == rate
    assert read_rate(str(rate)) == rate
    assert rate.limiter_interval == timedelta(milliseconds=limiter_ms)


@pytest.mark.parametrize(
    "text",
    [
        "5",
        "5/s",
        "0/1s",
        "5/1d",
        "-1/1s",
        "5/0s",
        "5/9ms",
        "1000001/1s",
        "5/745h",
        "\u0665/1s",
    ],  # the last: no ASCII digit
)
def test_a_bad_rate_is_refused(text: str) -> None:
    """The error is typed and repeats what was given."""
    with pytest.raises(BadTerms, match=text):
        read_rate(text)


@pytest.mark.parametrize(("amount", "seconds"), [(1, 0.0), (5, 0.0), (6, 1.1), (10, 1.1), (11, 2.2)])
def test_it_is_known_how_long_a_campaign_takes(amount: int, seconds: float) -> None:
    """So many full reservoirs have to come back first."""
    assert read_rate("5/1s").seconds_for(amount) == pytest.approx(seconds)
