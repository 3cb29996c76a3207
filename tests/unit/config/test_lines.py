import tomllib

from hypothesis import assume, given
from hypothesis import strategies as st

from mailward.config.lines import line_of, lines_of_keys

TEXT = '''# comment
[servers."mail.example.org".imap] # [not.this]
port = 993
list = [
  "a = 1", # b = 2
  { c = 3 },
]
text = """
[servers.no]
d = 4 \\"""
"""
literal = \'\'\'
e = 5\'\'\'
dotted."key with blank".x = 1
inline = { f = 6, g = [1,
2] }
[[many]]
h = 7
[[many]]
h = 8
'''


def test_every_key_has_its_line():
    imap = ("servers", "mail.example.org", "imap")

    assert {
        ("servers",): 2,
        ("servers", "mail.example.org"): 2,
        imap: 2,
        (*imap, "port"): 3,
        (*imap, "list"): 4,
        (*imap, "text"): 8,
        (*imap, "literal"): 12,
        (*imap, "dotted"): 14,
        (*imap, "dotted", "key with blank"): 14,
        (*imap, "dotted", "key with blank", "x"): 14,
        (*imap, "inline"): 15,
        ("many",): 17,
        ("many", 0): 17,
        ("many", 0, "h"): 18,
        ("many", 1): 19,
        ("many", 1, "h"): 20,
    } == lines_of_keys(TEXT)


def test_what_is_within_a_value_has_the_line_of_the_value():
    lines = lines_of_keys(TEXT)

    assert 15 == line_of(("servers", "mail.example.org", "imap", "inline", "f"), lines)
    assert 4 == line_of(("servers", "mail.example.org", "imap", "list", 1), lines)
    assert 1 == line_of(("nowhere",), lines)


@given(st.text())
def test_any_text_can_be_scanned(text):
    assert all(1 <= line <= text.count("\n") + 1 for line in lines_of_keys(text).values())


KEYS = st.from_regex(r"[a-z]{1,3}", fullmatch=True)
VALUES = st.sampled_from(["1", '"x = 1"', "'[y]'", '"""\nz = 1\n"""', "[\n1,\n# ]\n2]", "{ a = 1 }", '"\\""'])


@given(st.lists(st.tuples(KEYS, VALUES), max_size=6), st.lists(st.tuples(KEYS, VALUES), max_size=6))
def test_the_scan_sees_the_keys_the_parser_sees(above, below):
    text = "".join(f"{key} = {value}\n" for key, value in above) + "[table]\n"
    text += "".join(f"{key} = {value}\n" for key, value in below)
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        assume(False)

    assert {(key,) for key in tree} | {("table", key) for key in tree["table"]} == set(lines_of_keys(text))
