"""Saving a mask or labels in the background, and a file dialog that asks where to and in which format."""

from pathlib import Path

import numpy as np
from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QFileDialog, QWidget

from cvrl_napari.gui.background import Background
from cvrl_napari.gui.export import Format, export, formats_for, resolve
from cvrl_napari.gui.layers import Layers
from cvrl_napari.gui.questions import agreed
from cvrl_napari.study.study import Study


class Saving(QObject):
    """Write what is on view to a file, off the GUI thread; what has begun is finished also when the viewer closes.

    Signals
    -------
    busy : str
        What is being saved; empty when it has ended.
    done : str, str
        What was saved, and where.
    failed : object
        The error that says why not.
    """

    busy = Signal(str)
    done = Signal(str, str)
    failed = Signal(object)

    def __init__(self, layers: Layers, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._layers = layers
        self._writing = Background(self)

    def save(self, study: Study, path: Path, chosen: Format, *, what: str) -> None:
        """Write the 'mask' or the 'labels' on view, as they are now; `done` or `failed` tells how it went."""
        case, scan = self._layers.case, self._layers.scan
        if case is None or scan is None:
            return
        predicted = what == "mask"
        array: np.ndarray = (self._layers.mask_array() if predicted else self._layers.labels_array()).copy()
        classes, part = study.classes, study.case(case).part or 0

        def done(_: None) -> None:
            self.busy.emit("")
            self.done.emit(f"The {what} of {case} {'was' if predicted else 'were'} saved.", str(path))

        def failed(error: Exception) -> None:
            self.busy.emit("")
            self.failed.emit(error)

        self.busy.emit(f"Saving the {what} of {case}")
        self._writing.run(
            lambda: export(scan, array, path, classes, kind=chosen.kind, predicted=predicted, part=part), done, failed
        )

    def close(self) -> None:
        """Finish what was asked for."""
        self._writing.finish()


def ask_where(parent: QWidget, layers: Layers, folder: Path, *, what: str) -> tuple[Path, Format] | None:
    """Ask for the file and the format of the 'mask' or the 'labels' on view; None when there is none, or on second thoughts."""
    if layers.scan is None:
        return None
    formats = formats_for(layers.scan)
    patterns = {one.pattern: one for one in formats}
    suggestion = folder / f"{layers.case}_{what}{formats[0].suffixes[0]}"
    chosen, pattern = QFileDialog.getSaveFileName(parent, f"Save the {what}", str(suggestion), ";;".join(patterns))
    if not chosen:
        return None
    path, chosen_format = resolve(Path(chosen), patterns.get(pattern, formats[0]), formats)
    # The dialog has asked about the name as it was typed, not about the one with its ending.
    is_new = path == Path(chosen) or not path.exists()
    question = f"{path.name} already exists. Replace it?"
    return (path, chosen_format) if is_new or agreed(parent, f"Save the {what}", question, "Replace it", grave=True) else None
