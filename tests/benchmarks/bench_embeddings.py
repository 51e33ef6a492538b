"""How long it takes to look into the embeddings of a scan.

    python tests/benchmarks/bench_embeddings.py [--shape 44 108 76] [--channels 16]

The features are random and lie in a memory-mapped file, as those of a left-atrium scan do at half scale (the default) or, with
`--shape 88 216 152`, at full scale. Prints medians of five goes: time on the clock, and of the processor, which other jobs on
the machine lengthen less.
"""

import argparse
import dataclasses
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from cvrl_napari.engine.embedding_cache import CaseEmbeddings
from cvrl_napari.engine.embedding_sample import draw_sample
from cvrl_napari.engine.feature_colors import color_map, fit_colors
from cvrl_napari.engine.projected_features import ProjectedFeatures, RowProjector
from cvrl_napari.engine.projection import fit_projection
from cvrl_napari.engine.similarity import find_similar, query_of, similarity_map, to_scan_grid


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", type=int, nargs=3, default=(44, 108, 76))
    parser.add_argument("--channels", type=int, default=16)
    asked = parser.parse_args()
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        one = embeddings(Path(folder), tuple(asked.shape), asked.channels, rng)
        middle = np.array(one.shape) // 2
        query = query_of(one, middle[None])
        found = find_similar(one, query)
        rows = rng.normal(size=(100_000, 128)).astype(np.float32)
        basis = fit_colors([one])
        jobs: dict[str, Callable[[], object]] = {
            "the first map, with what later ones keep": lambda: find_similar(dataclasses.replace(one), query),
            "a further map of the whole scan": lambda: find_similar(one, query),
            "one axial plane of it": lambda: find_similar(one, query, plane=(0, int(middle[0]))),
            "one sagittal plane of it": lambda: find_similar(one, query, plane=(2, int(middle[2]))),
            "projected, whole scan": lambda: similarity_map(one, one.projected[tuple(middle)], projected=True),
            "a map onto the scan's grid, nearest": lambda: to_scan_grid(found, one, one.scan_shape),
            "a map onto the scan's grid, linear": lambda: to_scan_grid(found, one, one.scan_shape, linear=True),
            "three components as colors, whole scan": lambda: color_map(one, basis),
            "a sample of 20,000 cells": lambda: draw_sample([one], {}, 20_000),
            "PCA of 100,000 x 128": lambda: fit_projection(rows),
        }
        cells, voxels = (" x ".join(map(str, shape)) for shape in (one.shape, one.scan_shape))
        print(f"{cells} cells of {asked.channels} channels, scan {voxels}")
        print(f"| {'what':42s} | clock | processor ms |")
        for what, job in jobs.items():
            clock, processor = np.median([timed(job) for _ in range(5)], axis=0)
            print(f"| {what:42s} | {clock:5.0f} | {processor:12.0f} |", flush=True)


def embeddings(folder: Path, shape: tuple[int, int, int], channels: int, rng: np.random.Generator) -> CaseEmbeddings:
    """Random features in a mapped file, after a rectifier as in the compact network."""
    path = folder / "features.npy"
    np.save(path, np.maximum(rng.normal(size=(*shape, channels)), 0).astype(np.float16))
    features = np.load(path, mmap_mode="r")
    sizes = [(channels, channels), (channels,), (128, channels), (128,)]
    projector = RowProjector(*(rng.normal(size=size).astype(np.float32) for size in sizes))
    return CaseEmbeddings(
        case="a",
        level="low",
        features=features,
        projected=ProjectedFeatures(features, projector),
        scale=(2.0, 2.0, 2.0),
        scan_shape=(2 * shape[0], 2 * shape[1], 2 * shape[2]),
        predicted=rng.integers(0, 2, shape).astype(np.uint8),
        uncertainty=rng.uniform(size=shape).astype(np.float16),
    )


def timed(job: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds on the clock and of the processor."""
    clock, processor = time.perf_counter(), time.process_time()
    job()
    return 1000 * (time.perf_counter() - clock), 1000 * (time.process_time() - processor)


if __name__ == "__main__":
    main()
