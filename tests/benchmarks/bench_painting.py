"""What a stroke costs the GUI thread: a brush of 20 voxels on labels of 512 x 512 x 300 voxels, by each rule of the brush.

A stroke is painted segment by segment, 12 voxels apart, as napari's canvas does while the mouse is dragged; a segment is timed
until `paint` is done, the refresh of what changed included, drawing aside, with the window open.

    xvfb-run -a -s "-screen 0 1600x1000x24" python tests/benchmarks/bench_painting.py [--strokes 40]
"""

import argparse
import tempfile
import time
from pathlib import Path

import napari
import nibabel
import numpy as np

from cvrl_napari.gui.layers import Layers
from cvrl_napari.study.study import Study

SHAPE = (300, 512, 512)
BRUSH = 20
SEGMENTS = 25
STEP = 12.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strokes", type=int, default=40)
    strokes = parser.parse_args().strokes
    random = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as place:
        scan = np.broadcast_to(random.integers(0, 200, SHAPE[1:], dtype=np.int16), SHAPE)
        path = Path(place) / "scan.nii"
        nibabel.save(nibabel.Nifti1Image(scan.T, np.eye(4)), path)
        study = Study.create(Path(place) / "study", [path], classes=("one", "two"))
        viewer = napari.Viewer()
        layers = Layers(viewer)
        layers.show_case(study, study.cases[0].id)
        assert layers.shown is not None
        labels = layers.shown.labels
        labels.brush_size = BRUSH
        layers.set_mask((layers.scan_array() > 100).astype(np.uint8))
        print("| brush | segments | p50, ms | p95, ms | longest, ms |\n|---|---|---|---|---|", flush=True)
        rules = {"no rule": (None, False), "grey range": ((50.0, 150.0), False), "brings the mask": (None, True)}
        for dimensions in (2, 3):
            labels.n_edit_dimensions = dimensions
            for name, (grey_range, brings_mask) in rules.items():
                layers.brush.grey_range, layers.brush.brings_mask = grey_range, brings_mask
                times = [one for _ in range(strokes) for one in stroke(labels, random)]
                p50, p95 = np.percentile(times, (50, 95))
                print(f"| {name}, {dimensions}D | {len(times)} | {p50:.2f} | {p95:.2f} | {max(times):.2f} |", flush=True)
        layers.close()
        viewer.close()
        study.close()


def stroke(labels: napari.layers.Labels, random: np.random.Generator) -> list[float]:
    """Paint one stroke of class 1 or 2 and return the milliseconds of each segment."""
    place = np.array([SHAPE[0] // 2, *random.uniform(40, 470, 2)])
    way = random.uniform(0, 2 * np.pi)
    value = int(random.integers(1, 3))
    times = []
    with labels.block_history():
        for _ in range(SEGMENTS):
            way += random.normal(0, 0.3)
            after = np.clip(place + STEP * np.array([0, np.sin(way), np.cos(way)]), 0, np.array(SHAPE) - 1)
            start = time.perf_counter()
            for share in np.linspace(0, 1, 5)[1:]:  # napari's steps: a quarter of the brush at most
                labels.paint(place + share * (after - place), value, refresh=share == 1)
            times.append(1000 * (time.perf_counter() - start))
            place = after
    return times


if __name__ == "__main__":
    main()
