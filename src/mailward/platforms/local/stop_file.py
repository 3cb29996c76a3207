"""The file that stops every action, also when database and API are down: whoever may write beside the configuration."""

from pathlib import Path

from mailward.platforms.local.opening import without_waiting


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
        with open(path, "rb", buffering=0, opener=without_waiting) as file:
            said = (file.read(200) or b"").decode(errors="replace").strip().splitlines()
    except FileNotFoundError:
        if not path.is_symlink():
            return None
        return f"the stop file {path} is there, and leads nowhere; remove it to let mailward act again"
    except OSError as error:
        return f"the stop file {path} cannot be looked for: {error.strerror or error}"
    words = f" (“{said[0]}”)" if said else ""
    return f"the stop file {path} is there{words}; remove it to let mailward act again"
