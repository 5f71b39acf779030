"""Write docs/cli.md from the commands themselves: ``python -m tools.cli_reference``.

The help text of a command is the one source; a test fails where docs/cli.md is older.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

import click

__all__ = ["REFERENCE", "commands", "reference"]

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "cli.md"

HEAD = """# Commands

Written by `make docs` from the help texts of the commands; `inkmark COMMAND --help` prints
the same. [Exit codes](exit-codes.md) say how a command ended.
"""


def commands(
    command: click.Command, path: tuple[str, ...] = ("inkmark",)
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """All commands below and including `command`, each with the words that call it.

    Parameters
    ----------
    command : click.Command
    path : tuple of str
        The words that call `command`.

    Yields
    ------
    (tuple of str, click.Command)
    """
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None and not child.hidden:
                yield from commands(child, (*path, name))


def reference(root: click.Command) -> str:
    """The reference of all commands in Markdown.

    Parameters
    ----------
    root : click.Command

    Returns
    -------
    str
    """
    return HEAD + "".join(_section(path, command) for path, command in commands(root))


def _section(path: tuple[str, ...], command: click.Command) -> str:
    context = click.Context(command, info_name=" ".join(path))
    usage = " ".join([*path, *command.collect_usage_pieces(context)])
    lines = ["", f"## {' '.join(path)}", "", "```text", usage, "```", ""]
    lines += _paragraphs(command.help or "")
    rows = [
        (f"`{_names(parameter)}`", _help(parameter, context))
        for parameter in command.get_params(context)
        if isinstance(parameter, click.Option) and not parameter.hidden
    ]
    lines += ["| option | meaning |", "|---|---|"]
    lines += [f"| {_cell(names)} | {_cell(text)} |" for names, text in rows]
    return "\n".join(lines) + "\n"


def _paragraphs(text: str) -> list[str]:
    # \b begins a paragraph that click prints line by line.
    lines: list[str] = []
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        if paragraph.startswith("\b"):
            lines += ["```text", *paragraph.splitlines()[1:], "```", ""]
        else:
            lines += [*paragraph.splitlines(), ""]
    return lines


def _names(option: click.Option) -> str:
    names = ", ".join(option.opts)
    if option.secondary_opts:
        return f"{names} / {', '.join(option.secondary_opts)}"
    if option.is_flag or option.count:
        return names
    return f"{names} {option.make_metavar(click.Context(click.Command('x')))}"


def _help(option: click.Option, context: click.Context) -> str:
    text = " ".join((option.help or "").split())
    extra = option.get_help_extra(context)
    notes = [f"default: {extra['default']}"] if "default" in extra else []
    notes += ["required"] if option.required else []
    notes += ["may be given several times"] if option.multiple else []
    if notes:
        text += f" ({'; '.join(notes)})"
    return text


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> None:
    """Write the reference."""
    from inkmark.cli import main as root  # noqa: PLC0415 - heavy where a command is

    REFERENCE.write_text(reference(root), "utf-8")


if __name__ == "__main__":
    main()
