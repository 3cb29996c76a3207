import pytest

from mailward.config.sources import read_sources


def test_fragments_are_read_in_the_order_of_their_names_and_nothing_else_is(write, tmp_path):
    main = write("a = 1", b="b = 1", a="c = 1")
    (tmp_path / "conf.d" / "z.toml.bak").write_text("wrong")

    assert ["mailward.toml", "a.toml", "b.toml"] == [source.file.name for source in read_sources(main).files]


def test_a_directory_means_the_main_file_in_it_and_a_file_given_twice_is_read_once(write, tmp_path):
    main = write("a = 1")

    assert [main] == [source.file for source in read_sources([tmp_path, main]).files]


@pytest.mark.parametrize(
    ("first", "second", "mistakes"),
    [
        ("[a]\nb = 1", "[a]\nc = 1", []),
        ("a.b.c = 1", "a.b.d = 1", []),
        ("a = 1", "a = 1", ["a is set already in {main}:1; keep one of the two"]),
        ("\n[a]\nb = [1]", "a.b = []", ["a.b is set already in {main}:3; keep one of the two"]),
        ("[a]\nb = 1", "a = 1", ["a is set already in {main}:1; keep one of the two"]),
        ("a = 1", "[a]\nb = 1", ["a is set already in {main}:1; keep one of the two"]),
        ('"a b" = 1', '"a b" = 2', ['"a b" is set already in {main}:1; keep one of the two']),
    ],
)
def test_tables_of_two_files_are_united_and_a_key_in_both_is_a_mistake(write, first, second, mistakes):
    main = write(first, more=second)

    assert [text.format(main=main) for text in mistakes] == [mistake.text for mistake in read_sources(main).mistakes]


def test_three_files_with_one_key_are_two_mistakes(write):
    main = write("a = 1", b="a = 2", c="a = 3")

    assert ["b.toml", "c.toml"] == [mistake.file.name for mistake in read_sources(main).mistakes]


def test_a_place_is_the_file_that_says_most_of_it(write):
    sources = read_sources(write("\n[servers.a]\nb = 1", more="\n\n[servers.c]\nd.e = 1"))

    assert ["mailward.toml:3", "more.toml:4", "more.toml:3", "mailward.toml"] == [
        sources.place(path)
        for path in (("servers", "a", "b"), ("servers", "c", "d", "e"), ("servers", "c", "x"), ("nowhere",))
    ]


def test_what_cannot_be_read_keeps_nothing_else_from_being_read(write, tmp_path):
    main = write("a = 1", b="a = ", c="b = 1")

    sources = read_sources(main)

    assert {"a": 1, "b": 1} == sources.tree
    assert [tmp_path / "conf.d/b.toml"] == [mistake.file for mistake in sources.mistakes]


def test_windows_line_ends_move_no_line(write):
    main = write("")
    main.write_bytes(b"a = 1\r\n\r\nb = 2\r\n")

    assert "mailward.toml:3" == read_sources(main).place(("b",))


def test_a_parsers_complaint_never_repeats_a_value(write):
    main = write('password = "hunter2\nx')

    (mistake,) = read_sources(main).mistakes

    assert "hunter2" not in str(mistake)
