"""RFC 9457."""

import json

import pytest

from mailward.web.problems import STATUS, Code, Problem, problem_response


@pytest.mark.parametrize("code", Code)
def test_every_code_has_a_status_and_the_members_of_the_rfc(code):
    response = problem_response(Problem(code, "the reason"))
    body = json.loads(response.body)

    assert STATUS[code].value == response.status_code
    assert (1, "about:blank", STATUS[code].phrase, response.status_code, code.value, "the reason") == tuple(
        body[name] for name in ("schema", "type", "title", "status", "code", "detail")
    )
    assert "application/problem+json" == response.media_type
