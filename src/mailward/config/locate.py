"""Where the configuration is."""

from collections.abc import Mapping
from pathlib import Path

from mailward.model.errors import ConfigError

NAME = "mailward.toml"


def configuration_path(given: str | Path | None, environment: Mapping[str, str]) -> Path:
    """
    Return the configuration's main file: as given, by $MAILWARD_CONFIG, the user's own, or the machine's.

    Raises:
        ConfigError: There is none; the text says where it was looked for and how to make one.
    """
    named = given or environment.get("MAILWARD_CONFIG")
    if named:
        path = Path(named).expanduser().absolute()
        path = path / NAME if path.is_dir() else path
        if not path.is_file():
            raise ConfigError(f"there is no configuration at {path}; `mailward config init` makes one")
        return path
    places = _places(environment)
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        looked = ", ".join(map(str, places))
        raise ConfigError(
            f"there is no configuration: looked for {looked}; `mailward config init` makes one from a running Dovecot,"
            " --config or $MAILWARD_CONFIG names another place"
        )
    return found


def _places(environment: Mapping[str, str]) -> tuple[Path, ...]:
    home = environment.get("XDG_CONFIG_HOME") or (f"{environment['HOME']}/.config" if "HOME" in environment else None)
    own = (Path(home) / "mailward" / NAME,) if home else ()
    return (*own, Path("/etc/mailward") / NAME)
