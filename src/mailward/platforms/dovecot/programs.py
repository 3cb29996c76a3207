"""Where Dovecot's programs are on this machine."""

import os
import shutil


def program(name: str) -> str:
    """The full path of a program, or its plain name: daemons stand where ordinary users do not look."""
    return shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin") or name
