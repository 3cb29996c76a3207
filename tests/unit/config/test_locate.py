import pytest

from mailward.config.locate import configuration_path
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
    with pytest.raises(ConfigError, match="there is no configuration at .*none; `mailward config init` makes one"):
        configuration_path(places / "none", {"HOME": str(places / "home")})


def test_without_any_the_error_says_where_it_was_looked_for(places):
    with pytest.raises(ConfigError, match=r"looked for .*named/\.config/mailward/mailward\.toml, /etc/mailward"):
        configuration_path(None, {"HOME": str(places / "named")})
