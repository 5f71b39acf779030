"""Train the glyph reader's network: ``python -m inkmark.ocr.train``.

It needs the extra ``train`` and the folder of handwriting sets, and uses one core for some
minutes. The same packages on the same kind of processor give the same network again.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from inkmark.errors import ExtraMissingError
from inkmark.ocr._training_data import CLASSES, NONE, Samples, draw_samples, split_specimens

__all__ = ["best_temperature", "main"]

# How often each source is shown: letters, of which there are few, more than their number.
SHARES = {
    "mnist": 0.30,
    "mnist on paper": 0.10,
    "pendigits": 0.24,
    "handwritten62": 0.15,
    "forms": 0.09,
    "none": 0.12,
}
# Of the glyphs shown 12 in 100 are none of the classes; of the boxes that candidates write
# in, fewer than 1 in 100.
NONE_ODDS = 0.05


@click.command()
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    envvar="INKMARK_DATA",
    required=True,
    help="Folder that holds handwriting/ with the sets.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path(__file__).with_name("glyphs.onnx"),
    show_default="the network that comes with inkmark",
    help="The ONNX file to write.",
)
@click.option("--steps", type=click.IntRange(min=10), default=9000, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
def main(data: Path, out: Path, steps: int, seed: int) -> None:
    """Train the network of the glyph reader and write it as ONNX."""
    try:
        from inkmark.ocr import _training_net as net  # noqa: PLC0415 - the extra `train`
    except ModuleNotFoundError as error:
        raise ExtraMissingError("train", f"Training ({error.name})") from error
    start = time.process_time()
    learnt, held = split_specimens(data / "handwriting")
    samples = draw_samples(learnt, 4, seed)
    click.echo(f"{sum(len(some.labels) for some in samples.values())} glyphs to learn from")
    network = net.fit(
        [(samples[source], share) for source, share in SHARES.items()], steps, seed, click.echo
    )
    held_samples = draw_samples(held, 4, seed + 1)
    scores = {source: net.logits(network, some.glyphs) for source, some in held_samples.items()}
    temperature = best_temperature([(scores[source], held_samples[source]) for source in scores])
    odds = np.where(np.array(CLASSES) == NONE, NONE_ODDS, 1.0)
    facts = {"classes": "".join(CLASSES), "temperature": f"{temperature}"}
    model = net.onnx_model(network, temperature, odds, facts)
    out.write_bytes(model)
    for source, some in held_samples.items():
        right = float(np.mean(scores[source].argmax(axis=1) == some.labels))
        click.echo(
            f"held out, {source}: {len(some.labels)} glyphs, {right:.4f} right of 37 classes"
        )
    click.echo(
        f"{out.name}: {len(model)} bytes, SHA-256 {hashlib.sha256(model).hexdigest()}, "
        f"temperature {temperature:.3f}, {time.process_time() - start:.0f} s of processor time"
    )


def best_temperature(held: Sequence[tuple[NDArray[np.float32], Samples]]) -> float:
    """Find the temperature that makes the probabilities of held-out glyphs likeliest.

    Parameters
    ----------
    held : sequence of ((n, n_classes) float32, Samples)
        The network's scores with what they are of, by source; each source counts the same.

    Returns
    -------
    float
        What the scores are to be divided by, to two digits.

    References
    ----------
    .. [1] Guo, C., Pleiss, G., Sun, Y., and Weinberger, K. Q. "On calibration of modern
       neural networks", ICML 2017.
    """

    def surprise(temperature: float) -> float:
        losses = []
        for scores, samples in held:
            scaled = scores.astype(np.float64) / temperature
            scaled -= scaled.max(axis=1, keepdims=True)
            right = scaled[np.arange(len(scaled)), samples.labels]
            losses.append(np.mean(np.log(np.exp(scaled).sum(axis=1)) - right))
        return float(np.mean(losses))

    return min((round(0.5 + 0.01 * k, 2) for k in range(251)), key=surprise)


if __name__ == "__main__":
    main()
