"""Accuracy and speed of inkmark, measured through its public interface.

``python -m benchmarks --list`` names the benchmarks; each is a module of this folder with
a function ``run(options) -> Result`` as `benchmarks.contract` describes it.
"""
