"""Drawn cells as a table for a spreadsheet or a script."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cvrl_napari.engine.embedding_sample import Sample
from cvrl_napari.study.classes import StructureClass
from cvrl_napari.study.labels import BACKGROUND
from cvrl_napari.study.storage import write_or_explain

COLUMNS = ("case", "z", "y", "x", "painted", "predicted", "uncertainty", "plot_x", "plot_y", "chosen")


def save_table(path: Path, sample: Sample, places: np.ndarray, chosen: np.ndarray, classes: Sequence[StructureClass]) -> None:
    """Write a CSV with a row a point: case, voxel (z, y, x) of the canonical grid, classes by name, place in the plot, chosen.

    Raises
    ------
    StudyError
        If the file cannot be written.
    """
    names = {one.id: one.name for one in classes}
    painted, predicted = {0: ""} | names | {BACKGROUND: "background"}, {0: "background"} | names

    def write(temporary: Path) -> None:
        with temporary.open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(COLUMNS)
            for row in range(len(sample)):
                label, mask = int(sample.painted[row]), int(sample.predicted[row])
                about = [painted.get(label, label), predicted.get(mask, mask), f"{sample.uncertainty[row]:.4f}"]
                place = [f"{value:.6g}" for value in places[row]]
                voxel = sample.voxels[row].tolist()
                table.writerow([sample.cases[sample.case_of[row]], *voxel, *about, *place, int(chosen[row])])

    write_or_explain(path, write)
