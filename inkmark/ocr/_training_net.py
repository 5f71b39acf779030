"""The glyph reader's network: its shape, its training and its way into an ONNX file."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from inkmark.ocr._training_data import CLASSES, Samples
from inkmark.ocr._training_kernels import vary_glyphs

__all__ = ["fit", "logits", "make_network", "onnx_model"]

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
BATCH = 256
# Channels, stride and kernel of each layer. Strides instead of pooling, and an early one:
# most of the time goes where the picture is large.
LAYERS = ((32, 2, 5), (32, 1, 3), (64, 2, 3), (64, 1, 3), (128, 2, 3))
SIDE = 4  # what is left of 28 after three strides of two


def make_network() -> nn.Sequential:
    """Five convolutions and one linear layer, not yet trained."""
    layers: list[nn.Module] = []
    before = 1
    for channels, stride, side in LAYERS:
        layers += [
            nn.Conv2d(before, channels, side, stride, side // 2, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
        ]
        before = channels
    layers += [nn.Flatten(), nn.Dropout(0.2), nn.Linear(before * SIDE * SIDE, len(CLASSES))]
    return nn.Sequential(*layers)


def _vary(glyphs: U8, rng: np.random.Generator, out: F32) -> None:
    """Draw each glyph as another hand with another pen might have; out (n, 1, 28, 28)."""
    n = len(glyphs)
    turn = rng.normal(0.0, 0.10, n)
    slant = rng.normal(0.0, 0.15, n)
    size = np.exp(rng.normal(0.0, 0.09, (n, 2)))
    cos, sin = np.cos(turn), np.sin(turn)
    maps = np.empty((n, 2, 3))
    maps[:, 0, 0], maps[:, 0, 1] = cos / size[:, 0], (slant * cos - sin) / size[:, 1]
    maps[:, 1, 0], maps[:, 1, 1] = sin / size[:, 0], (slant * sin + cos) / size[:, 1]
    maps[:, :, 2] = rng.normal(0.0, 0.9, (n, 2))
    bends = rng.normal(0.0, 1.0, (n, 2, 5, 5)) * rng.uniform(0.0, 1.3, (n, 1, 1, 1))
    pens = rng.uniform(-0.5, 0.7, n) * (rng.random(n) < 0.6)
    gains = np.exp(rng.normal(0.0, 0.1, n))
    vary_glyphs(glyphs, maps, bends, pens, gains, out)


def fit(
    sets: Sequence[tuple[Samples, float]],
    n_steps: int,
    seed: int,
    progress: Callable[[str], None],
) -> nn.Sequential:
    """Train a network.

    Parameters
    ----------
    sets : sequence of (Samples, float)
        The training glyphs by source, and how often each source is shown; every class of a
        source is shown equally often.
    n_steps : int
        Batches of 256 glyphs.
    seed : int
        Of everything that is left to chance.
    progress : callable
        Told where training stands.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    glyphs = np.concatenate([samples.glyphs for samples, _ in sets])
    labels = np.concatenate([samples.labels for samples, _ in sets])
    chances = np.concatenate([_chances(samples.labels) * weight for samples, weight in sets])
    cumulated = np.cumsum(chances / chances.sum())
    network = make_network().to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=5e-3, total_steps=n_steps, pct_start=0.15, final_div_factor=1e3
    )
    batch = np.zeros((BATCH, 1, 28, 28), np.float32)
    lost = 0.0
    for step in range(n_steps):
        drawn = np.searchsorted(cumulated, rng.random(BATCH))
        picked = np.minimum(drawn, len(labels) - 1)
        _vary(glyphs[picked], rng, batch)
        images = torch.from_numpy(batch).to(memory_format=torch.channels_last)
        optimiser.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            scores = network(images)
        loss = nn.functional.cross_entropy(scores.float(), torch.from_numpy(labels[picked]))
        loss.backward()
        optimiser.step()
        schedule.step()
        lost += loss.item()
        if (step + 1) % 250 == 0:
            progress(f"step {step + 1} of {n_steps}: loss {lost / 250:.4f}")
            lost = 0.0
    return network.eval()


def _chances(labels: NDArray[np.int64]) -> NDArray[np.float64]:
    counts = np.bincount(labels, minlength=len(CLASSES))
    weights = 1.0 / counts[labels].astype(np.float64)
    return np.asarray(weights / weights.sum())


def logits(network: nn.Sequential, glyphs: U8) -> F32:
    """The network's raw scores of glyphs, (n, n_classes)."""
    parts = []
    with torch.inference_mode():
        for k in range(0, len(glyphs), 500):
            images = torch.from_numpy(glyphs[k : k + 500, None].astype(np.float32) / 255.0)
            parts.append(network(images.to(memory_format=torch.channels_last)).numpy())
    return np.concatenate(parts)


def onnx_model(
    network: nn.Sequential, temperature: float, odds: NDArray[np.float64], facts: dict[str, str]
) -> bytes:
    """Write the network as ONNX: uint8 glyphs (n, 28, 28) in, probabilities (n, K) out.

    Batch normalisation is folded into the convolutions, 1/255 into the first, and into the
    last layer the temperature and the odds.

    Parameters
    ----------
    network : torch.nn.Sequential
    temperature : float
        What the scores are divided by.
    odds : (n_classes,) float64
        How much more often each class is met at work than in training.
    facts : dict of str to str
        Kept in the file as its metadata.
    """
    weights: list[TensorProto] = []
    nodes = [
        helper.make_node("Cast", ["glyphs"], ["grey"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["grey", "axis"], ["layer0"]),
    ]
    weights.append(numpy_helper.from_array(np.array([1], np.int64), "axis"))
    modules = list(network)
    for k, (_, stride, side) in enumerate(LAYERS):
        kernel, bias = _folded(modules[3 * k], modules[3 * k + 1])
        if k == 0:
            kernel = kernel / 255.0
        weights.append(numpy_helper.from_array(kernel.astype(np.float32), f"kernel{k}"))
        weights.append(numpy_helper.from_array(bias.astype(np.float32), f"bias{k}"))
        conv = [f"layer{k}", f"kernel{k}", f"bias{k}"]
        nodes.append(
            helper.make_node("Conv", conv, [f"conv{k}"], strides=[stride] * 2, pads=[side // 2] * 4)
        )
        nodes.append(helper.make_node("Relu", [f"conv{k}"], [f"layer{k + 1}"]))
    last = modules[-1]
    weights.append(numpy_helper.from_array(_array(last.weight) / np.float32(temperature), "weight"))
    bias = _array(last.bias) / np.float32(temperature) + np.log(odds).astype(np.float32)
    weights.append(numpy_helper.from_array(bias, "bias"))
    nodes += [
        helper.make_node("Flatten", [f"layer{len(LAYERS)}"], ["flat"]),
        helper.make_node("Gemm", ["flat", "weight", "bias"], ["scores"], transB=1),
        helper.make_node("Softmax", ["scores"], ["probabilities"]),
    ]
    graph = helper.make_graph(
        nodes,
        "glyphs",
        [helper.make_tensor_value_info("glyphs", TensorProto.UINT8, ["n", 28, 28])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", len(CLASSES)])],
        weights,
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="inkmark"
    )
    helper.set_model_props(model, facts)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _array(tensor: torch.Tensor) -> F32:
    return np.asarray(tensor.detach().contiguous().numpy(), np.float32)


def _folded(conv: nn.Module, norm: nn.Module) -> tuple[F32, F32]:
    scale = _array(norm.weight) / np.sqrt(_array(norm.running_var) + norm.eps)
    kernel = _array(conv.weight) * scale[:, None, None, None]
    return kernel, _array(norm.bias) - _array(norm.running_mean) * scale
