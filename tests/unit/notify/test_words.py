from hypothesis import given
from hypothesis import strategies as st

from mailward.notify.words import recognisable, said


@given(first=st.text(), second=st.text())
def test_a_token_is_equal_for_the_same_identity_only_and_fits_a_header(first, second):
    assert (first == second) == (recognisable(first) == recognisable(second))
    assert recognisable(first).isalnum()
    assert 32 == len(recognisable(first))


@given(text=st.text())
def test_what_was_said_is_one_clean_short_line(text):
    assert said(text).isprintable()
    assert len(said(text)) <= 200


def test_a_secret_is_taken_out_wherever_it_stands_the_longer_first():
    assert "… and …" == said("s3cret-long and s3cret", secrets=("s3cret", "s3cret-long", ""))


def test_a_secret_that_would_be_cut_is_taken_out_before():
    assert "s3c" not in said("x" * 197 + "s3cret", secrets=("s3cret",))
