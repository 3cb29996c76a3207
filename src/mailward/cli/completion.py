"""`mailward completion`: the script that teaches a shell our commands."""

import click
from click.shell_completion import get_completion_class

HOW = {
    "bash": "mailward completion bash > ~/.local/share/bash-completion/completions/mailward",
    "zsh": 'mailward completion zsh > "${fpath[1]}/_mailward"',
    "fish": "mailward completion fish > ~/.config/fish/completions/mailward.fish",
}


@click.command("completion", epilog="To install: " + HOW["bash"])
@click.argument("shell", type=click.Choice(list(HOW)))
@click.pass_context
def completion(context: click.Context, *, shell: str) -> None:
    """
    Print the completion script of a shell.

    Commands, options, health sets and items are completed, and servers too while a manager runs.
    """
    made_by = get_completion_class(shell)
    if made_by is None:  # click knows these three; one that it no longer knows is no crash
        raise click.UsageError(f"there is no completion for {shell}")
    script = made_by(context.find_root().command, {}, "mailward", "_MAILWARD_COMPLETE")
    click.echo(f"# {HOW[shell]}")
    click.echo(script.source_template % script.source_vars())
