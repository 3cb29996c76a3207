"""What each kind of answer means; the manager here is a line of bytes."""

from http.client import IncompleteRead

import pytest

from mailward.client.http import answered, lines_in, read_json
from mailward.model.errors import NotFound, PermanentFailure, Refused, TemporaryFailure


def problem(status: str, code: str) -> bytes:
    body = b'{"code":"%s","detail":"the reason"}' % code.encode()
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status.encode(), len(body), body)


@pytest.mark.parametrize(
    ("answer", "kind", "text"),
    [
        (problem("404 Not Found", "not-found"), NotFound, "the reason"),
        (problem("409 Conflict", "conflict"), Refused, "the reason"),
        (problem("403 Forbidden", "forbidden"), Refused, "the reason"),
        (problem("400 Bad Request", "bad-request"), Refused, "the reason"),
        (problem("503 Service Unavailable", "unavailable"), TemporaryFailure, "the reason"),
        (problem("500 Internal Server Error", "internal"), PermanentFailure, "the reason"),
        (b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", TemporaryFailure, "503"),
        (b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops", PermanentFailure, "500 Oops"),
        (b"220 mx.example.org ESMTP\r\n", TemporaryFailure, "broke"),
        (b"", TemporaryFailure, "broke"),
    ],
)
def test_each_answer_raises_what_it_means(answering, answer, kind, text):
    with (
        answering(answer) as (path, _),
        pytest.raises(kind, match=text) as caught,
        answered(path, "GET", "/x", timeout=5),
    ):
        pass

    assert kind is type(caught.value)


def test_silence_is_a_temporary_failure_that_says_how_long_it_was(answering):
    with (
        answering(None) as (path, _),
        pytest.raises(TemporaryFailure, match=r"within 0\.05 s"),
        answered(path, "GET", "/x", timeout=0.05),
    ):
        pass


def test_what_is_not_asked_for_is_not_sent(answering):
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}") as (path, requests):
        query = {"server": None, "kind": ["a", "b"], "failed": True, "limit": 3, "none": []}
        with answered(path, "GET", "/x", query=query, timeout=5) as response:
            assert {} == read_json(response)

    assert requests[0].startswith(b"GET /x?kind=a&kind=b&failed=true&limit=3 HTTP/1.1\r\n")


@pytest.mark.parametrize("body", [b"[]", b"hi"])
def test_an_answer_that_is_no_object_is_not_a_manager_s(answering, body):
    with (
        answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + body) as (path, _),
        pytest.raises(PermanentFailure, match="no mailward manager"),
        answered(path, "GET", "/x", timeout=5) as response,
    ):
        read_json(response)


def test_lines_are_whole_however_they_arrive_and_an_answer_cut_off_is_no_end(answering):
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

    cut = answering(head + b"3\r\nab\n\r\n2\r\ncd\r\n2\r\n\ne\r\n")
    with cut as (path, _), answered(path, "GET", "/x", timeout=5) as response:
        lines = lines_in(response)
        assert [b"ab", b"cd"] == [next(lines), next(lines)]
        with pytest.raises(IncompleteRead):
            next(lines)

    whole = answering(head + b"3\r\nab\n\r\n0\r\n\r\n")
    with whole as (path, _), answered(path, "GET", "/x", timeout=5) as response:
        assert [b"ab"] == list(lines_in(response))
