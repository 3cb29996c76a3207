from pathlib import Path

import pytest

from mailward.config.locate import configuration_path, is_found_unnamed
from mailward.model.errors import ConfigError


@pytest.fixture
def places(tmp_path):
    """A named one, a user's own, and one in the user's XDG directory."""
    for name in ("named", "home/.config/mailward", "xdg/mailward"):
        directory = tmp_path / name
        directory.mkdir(parents=True)
        (directory / "mailward.toml").touch()
    return tmp_path


def test_what_is_given_wins_over_the_environment_and_that_over_the_users_own(places):
    environment = {"MAILWARD_CONFIG": str(places / "named/mailward.toml"), "HOME": str(places / "home")}
    given = places / "xdg/mailward/mailward.toml"

    assert given == configuration_path(given, environment)
    assert places / "named/mailward.toml" == configuration_path(None, environment)
    assert places / "home/.config/mailward/mailward.toml" == configuration_path(None, {"HOME": str(places / "home")})


def test_the_users_directory_for_configurations_wins_over_the_usual_one(places):
    environment = {"HOME": str(places / "home"), "XDG_CONFIG_HOME": str(places / "xdg")}

    assert places / "xdg/mailward/mailward.toml" == configuration_path(None, environment)


def test_a_directory_means_the_file_in_it(places):
    assert places / "named/mailward.toml" == configuration_path(places / "named", {})


def test_what_is_named_and_not_there_is_an_error_even_when_another_exists(places):
    with pytest.raises(ConfigError, match="there is no configuration at .*none; `mailward config init.*makes one"):
        configuration_path(places / "none", {"HOME": str(places / "home")})


@pytest.mark.parametrize(
    ("named", "option"),
    [("none", " --directory {}/none"), ("none/mailward.toml", " --directory {}/none"), ("named/other.toml", "")],
)
def test_what_is_named_and_not_there_can_be_made_there(places, named, option):
    with pytest.raises(ConfigError) as caught:
        configuration_path(places / named, {})

    assert f"`mailward config init{option.format(places)}` makes one" in str(caught.value)


def test_a_directory_is_found_unnamed_only_where_nothing_comes_before_it(places):
    own, xdg = places / "home/.config/mailward", places / "xdg/mailward"
    home = {"HOME": str(places / "home")}
    new = places / "new/mailward"

    assert is_found_unnamed(own, home)
    assert not is_found_unnamed(xdg, home)
    assert is_found_unnamed(new, {"XDG_CONFIG_HOME": str(places / "new")}), "it is there once it is written"
    assert not is_found_unnamed(Path("/etc/mailward"), home)
    assert not is_found_unnamed(own, {**home, "MAILWARD_CONFIG": str(xdg)})
    assert is_found_unnamed(xdg, {**home, "MAILWARD_CONFIG": str(xdg / "mailward.toml")})


def test_without_any_the_error_says_where_it_was_looked_for(places):
    with pytest.raises(ConfigError, match=r"looked for .*named/\.config/mailward/mailward\.toml, /etc/mailward"):
        configuration_path(None, {"HOME": str(places / "named")})
