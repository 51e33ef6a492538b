"""The scatter and its points as files: PNG, SVG, the features themselves; the table is `engine/sample_table.py`."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cvrl_napari.engine.embedding_sample import Sample
from cvrl_napari.study.storage import write_or_explain

if TYPE_CHECKING:
    import pyqtgraph as pg

PICTURE_WIDTH = 2_000
"""Pixels of a PNG."""


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
