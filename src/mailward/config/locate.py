"""Where the configuration is."""

import shlex
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
            raise ConfigError(f"there is no configuration at {path}; `mailward config init{_into(path)}` makes one")
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


def is_found_unnamed(directory: Path, environment: Mapping[str, str]) -> bool:
    """Whether a command finds the configuration in *directory* without being told where it is."""
    meant, named = directory / NAME, environment.get("MAILWARD_CONFIG")
    if named:
        return Path(named).expanduser().absolute() in (directory, meant)
    return meant == next((place for place in _places(environment) if place == meant or place.is_file()), None)


def _into(path: Path) -> str:
    """The option that has one made where it was looked for; nothing where it would be called otherwise."""
    if path.name != NAME and path.suffix:
        return ""
    return f" --directory {shlex.quote(str(path.parent if path.name == NAME else path))}"


def _places(environment: Mapping[str, str]) -> tuple[Path, ...]:
    home = environment.get("XDG_CONFIG_HOME") or (f"{environment['HOME']}/.config" if "HOME" in environment else None)
    own = (Path(home) / "mailward" / NAME,) if home else ()
    return (*own, Path("/etc/mailward") / NAME)
