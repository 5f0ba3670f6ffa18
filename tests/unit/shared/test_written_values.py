"""Durations and addresses as people write them."""

from datetime import timedelta

import pytest

from shared.duration import parse_duration
from shared.settings.address import Address, parse_address


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("90 s", 90),
        ("90s", 90),
        (" 10 min ", 600),
        ("10 m", 600),
        ("1.5 h", 5400),
        ("12H", 43200),
        ("1 d", 86400),
        ("500 ms", 0.5),
        ("30 sec", 30),
        ("45", 45),
        (45, 45),
        (0.5, 0.5),
        (0, 0),
        (timedelta(seconds=7), 7),
    ],
)
def test_durations(written: object, seconds: float) -> None:
    assert parse_duration(written) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "soon",
        "10 parsecs",
        "-5 s",
        -5,
        "5 s 3",
        True,
        None,
        [],
        "1e3",
        float("nan"),
        float("inf"),
        1e300,
        "9" * 400,
    ],
)
def test_what_is_no_duration_is_refused_with_the_right_form(written: object) -> None:
    with pytest.raises(ValueError, match="write it like 90 s, 10 min, 12 h or 1 d"):
        parse_duration(written)


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("192.168.1.20", Address("192.168.1.20", 80)),
        ("Miner.LAN", Address("miner.lan", 80)),
        ("miner.lan:8080", Address("miner.lan", 8080)),
        ("http://miner.lan/", Address("miner.lan", 80)),
        ("http://192.168.1.20:81", Address("192.168.1.20", 81)),
        ("fe80::1", Address("fe80::1", 80)),
        ("[fe80::1]:81", Address("fe80::1", 81)),
        (Address("a", 1), Address("a", 1)),
    ],
)
def test_addresses(written: object, address: Address) -> None:
    assert parse_address(written) == address


@pytest.mark.parametrize(
    ("written", "because"),
    [
        ("", "not a host"),
        ("   ", "not a host"),
        (None, "not a host"),
        (192, "not a host"),
        ("two words", "not a host"),
        ("miner.lan:http", "not a host"),
        ("miner.lan:99999", "not a host"),
        ("[fe80::1", "not a host"),
        ("https://miner.lan", "only http"),
        ("-miner", "not a host"),
    ],
)
def test_what_is_no_address_is_refused_with_the_cause(written: object, because: str) -> None:
    with pytest.raises(ValueError, match=because):
        parse_address(written)


def test_an_address_reads_as_it_is_dialled() -> None:
    assert str(Address("miner.lan", 8080)) == "miner.lan:8080"
    assert str(Address("fe80::1")) == "[fe80::1]:80"
