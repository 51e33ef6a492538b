"""The scatter and its points as files: PNG, SVG, a table, the features themselves."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cvrl_napari.engine.embedding_sample import Sample
from cvrl_napari.study.classes import StructureClass
from cvrl_napari.study.labels import BACKGROUND
from cvrl_napari.study.storage import write_or_explain

if TYPE_CHECKING:
    import pyqtgraph as pg

PICTURE_WIDTH = 2_000
"""Pixels of a PNG."""
COLUMNS = ("case", "z", "y", "x", "painted", "predicted", "uncertainty", "plot_x", "plot_y", "chosen")


def save_picture(plot: "pg.PlotWidget", path: Path) -> None:
    """Write the plot as it is seen, .png or .svg by the ending of `path`; GUI thread.

    Raises
    ------
    StudyError
        If the file cannot be written.
    """
    from pyqtgraph.exporters import ImageExporter

    if path.suffix == ".svg":
        write_or_explain(path, lambda temporary: _draw_svg(plot, temporary))
        return
    exporter = ImageExporter(plot.plotItem)
    exporter.parameters()["width"] = PICTURE_WIDTH
    write_or_explain(path, lambda temporary: _save_image(exporter.export(toBytes=True), temporary))


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


def save_arrays(path: Path, sample: Sample, places: np.ndarray, chosen: np.ndarray) -> None:
    """Write an .npz with an array for each column of the sample: `features` (N, C), `case_of`, `cases`, `voxels` (N, 3), ...

    Raises
    ------
    StudyError
        If the file cannot be written.
    """

    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:  # given a path, numpy would add a suffix to its name
            np.savez_compressed(
                file,
                features=sample.rows,
                case_of=sample.case_of,
                cases=np.array(sample.cases),
                voxels=sample.voxels,
                painted=sample.painted,
                predicted=sample.predicted,
                uncertainty=sample.uncertainty,
                places=places,
                chosen=chosen,
            )

    write_or_explain(path, write)


def _draw_svg(plot: "pg.PlotWidget", path: Path) -> None:
    """Frame and text as lines, the points as a picture; pyqtgraph's own exporter does not know pictures."""
    from qtpy.QtGui import QPainter
    from qtpy.QtSvg import QSvgGenerator

    generator = QSvgGenerator()
    generator.setFileName(str(path))
    generator.setSize(plot.size())
    generator.setViewBox(plot.rect())
    painter = QPainter(generator)
    plot.render(painter)
    painter.end()


def _save_image(image: object, path: Path) -> None:
    if not image.save(str(path), "PNG"):  # type: ignore[attr-defined]
        raise OSError(f"The picture could not be written to {path}.")
