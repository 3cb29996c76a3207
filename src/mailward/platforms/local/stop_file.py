"""The file that stops every action, also when database and API are down: whoever may write beside the configuration."""

from pathlib import Path


def why_stopped(name: str) -> str | None:
    """
    Why everything is stopped, or None when the file is not there.

    A file that cannot be looked for counts as being there: unknown never acts. The first line of what it holds is told
    along, so that whoever made it can say why.
    """
    if not name:
        return None
    path = Path(name)
    try:
        with path.open("rb") as file:
            said = file.read(200).decode(errors="replace").strip().splitlines()
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"the stop file {path} cannot be looked for: {error.strerror or error}"
    words = f" (“{said[0]}”)" if said else ""
    return f"the stop file {path} is there{words}; remove it to let mailward act again"
