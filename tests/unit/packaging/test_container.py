"""The image was never built; what can be known without an engine is known here."""

import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import click
import pytest
import yaml

from mailward.cli.main import cli

from .conftest import ROOT

CONTAINERFILE = ROOT / "packaging" / "container" / "Containerfile"
#: Containerfile(5)
INSTRUCTIONS = {
    *("FROM", "RUN", "CMD", "ENTRYPOINT", "COPY", "ADD", "ENV", "ARG", "USER", "WORKDIR", "VOLUME", "EXPOSE", "LABEL"),
    *("HEALTHCHECK", "STOPSIGNAL", "SHELL", "ONBUILD"),
}


def instructions() -> list[tuple[str, str]]:
    """Each instruction and what follows it, long lines put together."""
    lines = [line for line in CONTAINERFILE.read_text().splitlines() if line and not line.startswith("#")]
    return [
        (word, rest)
        for line in "\n".join(lines).replace("\\\n", " ").splitlines()
        for word, _, rest in [line.partition(" ")]
    ]


def all_of(name: str) -> list[str]:
    return [rest for word, rest in instructions() if word == name]


def copied_from_here() -> list[tuple[list[str], str]]:
    """Sources and destination of each COPY that takes from this copy of mailward."""
    words = [rest.split() for rest in all_of("COPY") if not rest.startswith("--from=")]
    return [(one[:-1], one[-1]) for one in words]


def test_every_instruction_is_one_and_it_begins_from_an_image():
    names = [word for word, _ in instructions()]

    assert set() == set(names) - INSTRUCTIONS
    assert "FROM" == names[0]


def test_what_it_copies_is_there_by_name_so_that_nothing_comes_in_by_chance():
    sources = [source for words, _ in copied_from_here() for source in words]

    assert [] == [source for source in sources if not (ROOT / source).exists()]
    assert not {".", "./", "*"} & set(sources)
    assert [] == all_of("ADD")


def test_mailward_can_be_built_from_what_it_copies_and_nothing_else(tmp_path):
    for sources, destination in copied_from_here():
        for source in sources:
            target = tmp_path / destination / (Path(source).name if destination.endswith("/") else "")
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, tmp_path / destination, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / source, target)

    subprocess.run(
        (sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", "made"),
        cwd=tmp_path,
        capture_output=True,
        timeout=120,
        check=True,
    )

    (wheel,) = (tmp_path / "made").iterdir()
    names = zipfile.ZipFile(wheel).namelist()
    assert {"mailward/app.py", "mailward/web/templates/base.html", "mailward/web/static/mailward.css"} <= set(names)
    assert (tmp_path / "packaging/runtime.lock").is_file()
    assert (tmp_path / "scripts/venv").stat().st_mode & 0o100


def test_the_environment_is_made_as_the_install_script_makes_it():
    (step,) = [rest for rest in all_of("RUN") if "scripts/venv" in rest]
    script = (ROOT / "packaging" / "install.sh").read_text()

    assert "LOCK=packaging/runtime.lock EDITABLE= scripts/venv" in step
    assert "LOCK=packaging/runtime.lock EDITABLE= scripts/venv" in script
    assert "VENV=/opt/mailward/venv " in step
    assert "scripts/venv" in (ROOT / "Makefile").read_text()


def test_it_runs_as_a_user_without_rights_and_no_layer_holds_a_secret():
    (user,) = all_of("USER")
    last_stage = instructions()[max(place for place, (word, _) in enumerate(instructions()) if word == "FROM") :]

    assert ("USER", user) in last_stage
    assert int(user) > 0
    assert f"--uid {user} " in next(rest for word, rest in last_stage if word == "RUN")
    set_there = " ".join((*all_of("ENV"), *all_of("ARG")))
    assert not re.search(r"password|secret|token|key", set_there, re.IGNORECASE)
    assert ["/var/lib/mailward"] == all_of("VOLUME")


def test_what_it_starts_and_its_health_check_are_commands_of_mailward():
    (entry,), (given,), (check,) = all_of("ENTRYPOINT"), all_of("CMD"), all_of("HEALTHCHECK")
    started = [*json.loads(entry), *json.loads(given)]

    for words in (started, json.loads(check.partition(" CMD ")[2])):
        assert "mailward" == words[0]
        context = click.Context(cli, info_name="mailward")
        command = cli.get_command(context, words[1])
        assert command is not None
        command.make_context(words[1], list(words[2:]), parent=context)


@pytest.fixture
def example() -> dict[str, object]:
    """The service of the page's example."""
    page = (ROOT / "docs" / "how-to" / "container.md").read_text()
    (text,) = re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    service = yaml.safe_load(text)["services"]["mailward"]
    assert isinstance(service, dict)
    return service


def test_the_example_is_read_only_but_for_the_volume_and_runs_as_the_images_user(example):
    assert (True, ["ALL"], ["no-new-privileges:true"]) == (
        example["read_only"],
        example["cap_drop"],
        example["security_opt"],
    )
    assert all_of("USER") == [example["user"]]
    assert ["/etc/mailward:/etc/mailward:ro", "state:/var/lib/mailward"] == example["volumes"]
