from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailward.model.errors import Refused, TemporaryFailure
from mailward.platforms.haproxy.statistics import member, servers_of
from mailward.ports.access_point_control import Membership

HEADER = "# pxname,svname,qcur,scur,status,weight,type,check_status,last_chk,-,"
IN, DRAINING, OUT, UNKNOWN = Membership.IN, Membership.DRAINING, Membership.OUT, Membership.UNKNOWN


def answer(status, *, weight="1", scur="3", check="", last="", backend="proxies", kind="2"):
    return f"{HEADER}\n{backend},proxy1,0,{scur},{status},{weight},{kind},{check},{last},-,"


def one(text):
    (row,) = servers_of("proxies", text)
    return member("proxy1", row)


# The words: management guide 2.6, 9.1; "no check" with weight 0 and the order of DOWN and DRAIN were measured.
@pytest.mark.parametrize(
    ("status", "weight", "membership", "was_ordered"),
    [
        ("UP", "1", IN, False),
        ("UP 1/2", "1", IN, False),
        ("no check", "1", IN, False),
        ("no check", "0", DRAINING, True),
        ("UP", "0", DRAINING, True),
        ("DRAIN", "1", DRAINING, True),
        ("DRAIN (agent)", "1", DRAINING, False),
        ("NOLB", "1", DRAINING, False),
        ("DOWN", "1", OUT, False),
        ("DOWN 1/2", "1", OUT, False),
        ("DOWN (agent)", "1", OUT, False),
        ("MAINT", "1", OUT, True),
        ("MAINT", "0", OUT, True),
        ("MAINT (via others/proxy1)", "1", OUT, True),
        ("MAINT (resolution)", "1", OUT, False),
        ("PARTYING", "1", UNKNOWN, False),
        ("", "1", UNKNOWN, False),
    ],
)
def test_each_word_of_haproxy_says_whether_clients_are_sent_there_and_by_whose_order(
    status, weight, membership, was_ordered
):
    found = one(answer(status, weight=weight))

    assert (membership, was_ordered, 3) == (found.membership, found.was_ordered, found.sessions)
    assert found.because


def test_what_the_check_of_haproxy_found_is_part_of_the_reason():
    found = one(answer("DOWN", check="L4CON", last="Connection refused"))

    assert "HAProxy's own check finds it DOWN: its check says L4CON Connection refused" == found.because


def test_only_the_servers_of_that_backend_count():
    text = "\n".join(
        [
            answer("UP"),
            answer("UP", backend="others").splitlines()[1],
            answer("UP", kind="1").splitlines()[1],
            answer("OPEN", kind="0").splitlines()[1],
        ]
    )

    assert ["proxy1"] == [row.name for row in servers_of("proxies", text)]


def test_columns_may_stand_anywhere_and_quoted_text_may_hold_commas():
    text = '# status,new,type,last_chk,weight,scur,svname,pxname,\nUP,,2,"a ""b"", c",1,0,proxy1,proxies,'

    (row,) = servers_of("proxies", text)
    assert ("proxy1", "UP", 0, 'a "b", c') == (row.name, row.status, row.sessions, row.check)


def test_a_number_that_is_none_is_not_known():
    assert one(answer("UP", scur="")).sessions is None
    assert one(answer("UP", scur="many")).sessions is None


def test_a_sentence_instead_of_statistics_is_the_refusal():
    with pytest.raises(Refused, match="HAProxy does not show backend 'proxies': No such proxy\\."):
        servers_of("proxies", "No such proxy.")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a,b,c",
        "# pxname,svname,scur,status,weight,\nproxies,proxy1,0,UP,1,",
        answer("UP").removesuffix(",-,"),
        answer("UP") + ",more",
        '# pxname,svname,scur,status,weight,type,\nproxies,"proxy1,0,UP,1,2,',
    ],
    ids=["nothing", "no header", "a column missing", "a line too short", "a line too long", "an open quote"],
)
def test_statistics_that_cannot_be_read_are_no_statistics(text):
    with pytest.raises(TemporaryFailure):
        servers_of("proxies", text)


@given(st.text(max_size=200) | st.text(max_size=200).map(lambda text: f"{HEADER}\n{text}"))
def test_whatever_is_said_is_read_or_one_of_two_promised_failures(text):
    with suppress(Refused, TemporaryFailure):
        assert all(row.name for row in servers_of("proxies", text))
