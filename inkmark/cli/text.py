"""The commands about printed text: text, paddle-models."""

from __future__ import annotations

import dataclasses
import glob
from pathlib import Path
from typing import Any

import click

from inkmark.cli.common import EXISTING_FOLDER, FOLDER, json_option, show, visible

__all__ = ["paddle_models", "text"]


class _Files(click.Path):
    """A file or folder that is there, or a glob."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return value if glob.has_magic(value) else super().convert(value, param, ctx)


@click.command()
@click.argument("files", nargs=-1, required=True, type=_Files(exists=True))
@click.option(
    "--paddle",
    "models",
    type=EXISTING_FOLDER,
    help="Read with paddleocr and the models in this folder (see inkmark paddle-models).",
)
@json_option
def text(files: tuple[str, ...], models: Path | None, *, as_json: bool) -> None:
    """Read the print on pages, such as those of a question paper.

    FILES are images and PDF files whose pages stand upright, folders of them, or globs. A
    page takes one to three seconds. This is not for answer sheets: see inkmark read.

    \b
    Examples:
      inkmark text paper.pdf > paper.txt
      inkmark text paper.pdf --json
    """
    from inkmark.workflow import read_text

    pages = []
    for page in read_text(files, paddle_models=models):
        if not as_json:
            click.echo("\n".join(visible(line.text) for line in page.lines))
        pages.append(
            {
                "source": dataclasses.asdict(page.source),
                "lines": [dataclasses.asdict(line) for line in page.lines],
            }
        )
    show({"pages": pages}, [], as_json=as_json)


@click.command("paddle-models")
@click.argument("folder", type=FOLDER)
@json_option
def paddle_models(folder: Path, *, as_json: bool) -> None:
    """Make model folders for paddleocr of the models that come with rapidocr.

    \b
    Example:
      inkmark paddle-models models
      inkmark text paper.pdf --paddle models
    """
    from inkmark.ocr.paddle import build_paddle_models

    made = [str(path) for path in build_paddle_models(folder)]
    show({"models": made}, [f"Made {path}." for path in made], as_json=as_json)
