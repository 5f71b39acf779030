"""What the commands share: arguments, output, progress, exit codes."""

from __future__ import annotations

import io
import json
import signal
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from inkmark.errors import FileAccessError, InkmarkError

__all__ = [
    "EXISTING_FILE",
    "EXISTING_FOLDER",
    "EXIT_NEEDS_REVIEW",
    "FILE",
    "FOLDER",
    "Commands",
    "account",
    "exam_argument",
    "json_option",
    "needs_review",
    "progress_bar",
    "show",
    "stopped_by_sigterm",
    "visible",
    "worker_pool",
    "workers_option",
]

EXIT_NEEDS_REVIEW = 10
"""Done, but some pages or fields need a person."""

F = TypeVar("F", bound=Callable[..., Any])


class _FolderName(click.Path):
    """A folder to make or fill; an empty name, as of an unset variable, is none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("the name of the folder is empty. Name the folder.", param, ctx)
        return super().convert(value, param, ctx)


FOLDER = _FolderName(path_type=Path, file_okay=False)
EXISTING_FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)
FILE = click.Path(path_type=Path, dir_okay=False)
EXISTING_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


_JSON = "inkmark.json"
_STEERING = ("Cc", "Cf", "Cs", "Zl", "Zp")
_INTERRUPTED = 130
"""What shells give for Ctrl-C."""


class Commands(click.Group):
    """Turns the errors of the library into messages and exit codes."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the program; what a terminal has no letters for is written as escapes."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        return super().main(*args, **kwargs)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Note first whether JSON is asked for: wrong usage, too, is then said in JSON."""
        ctx.meta[_JSON] = "--json" in args
        with _usage_as_json(ctx):
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error of the library ends it with its exit code."""
        try:
            with _usage_as_json(ctx):
                return super().invoke(ctx)
        except InkmarkError as error:
            _fail(ctx, str(error), error.exit_code)
        except BrokenPipeError:
            raise  # whoever read the output has enough: click ends quietly
        except OSError as error:
            if error.strerror is None:
                raise  # not from the system
            _fail(ctx, str(FileAccessError(error)), FileAccessError.exit_code)
        except KeyboardInterrupt as stop:
            again = str(stop) or "No file is half written; run the command again."
            _fail(ctx, f"stopped. {again}", _INTERRUPTED)


@contextmanager
def _usage_as_json(ctx: click.Context) -> Iterator[None]:
    """Print wrong usage on standard output where JSON is asked for; click prints it besides."""
    try:
        yield
    except click.UsageError as error:
        message = error.format_message()
        _error_json(ctx, message, error.exit_code)
        shown = visible(message, lines=True)
        if shown != message:
            raise click.UsageError(shown, error.ctx) from error
        raise


def _fail(ctx: click.Context, message: str, exit_code: int) -> NoReturn:
    _error_json(ctx, message, exit_code)
    click.echo(f"Error: {visible(message, lines=True)}", err=True)
    ctx.exit(exit_code)


def _error_json(ctx: click.Context, message: str, exit_code: int) -> None:
    if ctx.meta[_JSON]:
        click.echo(json.dumps({"error": message, "exit_code": exit_code}))


def visible(text: str, *, lines: bool = False) -> str:
    """Write characters that would steer a terminal as escapes; with `lines`, keep line ends."""
    return "".join(
        character.encode("unicode_escape").decode("ascii")
        if unicodedata.category(character) in _STEERING and not (lines and character == "\n")
        else character
        for character in text
    )


def json_option(command: F) -> F:
    """Add `--json`."""
    return click.option(
        "--json",
        "as_json",
        is_flag=True,
        help="Print the result as JSON, for machines.",
    )(command)


def exam_argument(command: F) -> F:
    """Add the exam folder as an argument."""
    return click.argument("exam", type=EXISTING_FOLDER)(command)


def workers_option(command: F) -> F:
    """Add `--workers`."""
    return click.option(
        "--workers",
        type=click.IntRange(0, 256),
        default=0,
        help="Processes to read with; 0 for one a processor.",
    )(command)


def account() -> str:
    """Give the name of the account; empty where the system knows none."""
    import getpass

    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):
        return ""


@contextmanager
def worker_pool(workers: int) -> Iterator[Executor]:
    """Processes to read with, or this one where one is enough."""
    from inkmark.session import (
        SerialExecutor,
        WorkerPool,
        processors,
        say_compiling,
        tell_of_compiling,
    )

    end = tell_of_compiling(say_compiling)
    try:
        with SerialExecutor() if (workers or processors()) == 1 else WorkerPool(workers) as pool:
            yield pool
    finally:
        end()


@contextmanager
def stopped_by_sigterm() -> Iterator[None]:
    """End as by Ctrl-C where the system ends a service: by SIGTERM."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def show(result: dict[str, Any], lines: Iterable[str], *, as_json: bool) -> None:
    """Print the result, as JSON or as lines for people."""
    if as_json:
        # Escapes of JSON stay readable to a program whatever the terminal can show.
        plain = sys.stdout.encoding.lower() not in ("utf-8", "utf8")
        click.echo(json.dumps(result, ensure_ascii=plain, default=str))
    else:
        for line in lines:
            click.echo(visible(line))


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on stderr; a pipe gets none."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(
        console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()
    ) as bar:
        task = bar.add_task(title, total=None)

        def update(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield update


def needs_review() -> None:
    """End the command with the exit code that says that a person is needed."""
    click.get_current_context().exit(EXIT_NEEDS_REVIEW)
