"""How near the tools come to a whole structure from a little painting, on left-atrium scans with a reference.

Interpolation: every 8th slice of the reference is painted, from the first slice that holds the structure on ("and the last":
that one too, as a person would), and the slices between are interpolated. Growing: strokes on 5 slices between 5 % and 95 % of
the height, a center line of the structure (the skeleton of the eroded reference) and a ring of background one voxel wide 3 mm
outside it. Dice against the reference over the whole scan. The scans are the last 20 of the list; the settings of growing were
tried on the first five of these.

    python tests/benchmarks/bench_tools.py [--cases 20]
"""

import argparse
import os
import time
from pathlib import Path

import numpy as np
from scipy.ndimage import binary_erosion, distance_transform_edt
from skimage.morphology import skeletonize

from cvrl_napari.editing.growing import grow
from cvrl_napari.editing.interpolation import interpolate
from cvrl_napari.study.labels import BACKGROUND
from cvrl_napari.volumes.reading import read, read_labels

DATA = Path(os.environ.get("CVRL_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data")) / "left_atrium"
EVERY = 8
STROKE_SLICES = np.linspace(0.05, 0.95, 5)
RING_MM = 3.0


def dice(mask: np.ndarray, reference: np.ndarray) -> float:
    return float(2 * (mask & reference).sum() / (mask.sum() + reference.sum()))


def some_slices(reference: np.ndarray, *, last: bool) -> np.ndarray:
    """Return every 8th slice of a reference as labels."""
    held = np.flatnonzero(reference.any(axis=(1, 2)))
    painted = set(range(held[0], held[-1] + 1, EVERY)) | ({int(held[-1])} if last else set())
    labels = np.zeros(reference.shape, np.uint8)
    labels[sorted(painted)] = reference[sorted(painted)]
    return labels


def strokes(reference: np.ndarray, spacing: tuple[float, float, float]) -> np.ndarray:
    """Return thin strokes on five slices: a center line, and a ring of background."""
    held = np.flatnonzero(reference.any(axis=(1, 2)))
    labels = np.zeros(reference.shape, np.uint8)
    for z in np.round(held[0] + (held[-1] - held[0]) * STROKE_SLICES).astype(int):
        plane = reference[z]
        away = distance_transform_edt(~plane, sampling=spacing[1:])
        labels[z][(away >= RING_MM) & (away < RING_MM + 1.5 * spacing[1])] = BACKGROUND
        inner = binary_erosion(plane, iterations=2)
        labels[z][skeletonize(inner if inner.any() else plane)] = 1
    return labels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=20)
    names = (DATA / "train.list").read_text().split()[-20:][: parser.parse_args().cases]
    columns = ("every 8th", "and the last", "grown from 5", "painted", "seconds")
    rows = []
    print(f"| {'case':<20} | {' | '.join(columns)} |\n|{'---|' * (len(columns) + 1)}", flush=True)
    for name in names:
        scan = read(DATA / "scans" / f"{name}.nii.gz")
        reference = read_labels(DATA / "labels" / f"{name}.nii.gz").array == 1
        row = []
        for last in (False, True):
            filled = interpolate(some_slices(reference, last=last), scan.spacing, axis=0, classes=[1])
            row.append(dice(filled == 1, reference))
        drawn = strokes(reference, scan.spacing)
        start = time.process_time()
        row.append(dice(grow(drawn, scan.array, scan.spacing, axis=0, classes=[1]) == 1, reference))
        seconds = time.process_time() - start
        row += [float((drawn == 1).sum() / reference.sum()), seconds]
        rows.append(row)
        print(f"| {name:<20} | " + " | ".join(f"{value:.3f}" for value in row) + " |", flush=True)
    table = np.array(rows)
    for what, values in (("mean", table.mean(0)), ("SD", table.std(0)), ("lowest", table.min(0)), ("highest", table.max(0))):
        print(f"| {what:<20} | " + " | ".join(f"{value:.3f}" for value in values) + " |")


if __name__ == "__main__":
    main()
