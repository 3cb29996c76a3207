import struct
from collections.abc import Sequence
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailward.lab.supervisor.packet_filter import EVERYONE, permitted, program

ADDRESSES = st.ip_addresses(v=4).map(str)


def accepts(code: bytes, source: str) -> bool:
    """Run a filter as the kernel would (linux/filter.h) on a packet from *source*."""
    accumulator, at = 0, 0
    instructions = list(struct.iter_unpack("=HBBI", code))
    while True:
        operation, if_true, if_false, value = instructions[at]
        at += 1
        if operation == 0x20:
            assert 0xFFF0000C == value, "it looks elsewhere than at the source address"
            accumulator = int(IPv4Address(source))
        elif operation == 0x15:
            at += if_true if accumulator == value else if_false
        elif operation == 0x06:
            return bool(value)
        else:
            pytest.fail(f"unknown operation {operation:#x}")


@given(st.lists(ADDRESSES, min_size=1, max_size=20), ADDRESSES)
def test_a_filter_drops_packets_from_its_sources_and_no_others(sources: Sequence[str], sender: str) -> None:
    assert (sender not in sources) == accepts(program(sources), sender)


@given(st.lists(ADDRESSES, min_size=1, max_size=20))
def test_every_source_is_dropped(sources: Sequence[str]) -> None:
    assert not any(accepts(program(sources), source) for source in sources)


@given(ADDRESSES)
def test_everyone_means_everyone(sender: str) -> None:
    assert not accepts(program([EVERYONE]), sender)


def test_whether_filters_are_permitted_is_found_out_by_trying() -> None:
    assert permitted() in {True, False}
