"""A small picture of each scan: its middle axial slice, made in the background for the rows in view, kept in the cache."""

from collections import OrderedDict
from pathlib import Path

import numpy as np
from qtpy.QtCore import QObject, QSize, Qt, Signal
from qtpy.QtGui import QIcon, QImage, QPixmap

from cvrl_napari.gui.background import Background
from cvrl_napari.gui.grey_limits import grey_limits
from cvrl_napari.study.case import Case
from cvrl_napari.study.storage import write_or_explain
from cvrl_napari.study.study import Study
from cvrl_napari.volumes.volume import Volume

SIZE = 96
"""Pixels of the longer side."""
KEPT = 300
WAITING = 40
"""Pictures asked for and not made yet, at most: whoever scrolls on no longer needs those of the rows gone by."""


class Thumbnails(QObject):
    """Pictures by case; the newest wish first, one at a time.

    Signals
    -------
    ready : str
        The picture of this case is there.
    """

    ready = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._study: Study | None = None
        self._pictures: OrderedDict[str, QIcon] = OrderedDict()
        self._wishes: OrderedDict[str, Case] = OrderedDict()
        self._unreadable: set[str] = set()
        self._busy = ""
        self._background = Background(self)

    def open(self, study: Study | None) -> None:
        """From now on the cases are this study's."""
        self._study = study
        self._pictures.clear()
        self._wishes.clear()
        self._unreadable.clear()

    def picture(self, case: Case) -> QIcon | None:
        """Return the picture of a case; None, and `ready` later, when it is not there yet."""
        key = _key(case)
        if key in self._pictures:
            self._pictures.move_to_end(key)
            return self._pictures[key]
        if key not in self._unreadable and key != self._busy:
            self._wishes[key] = case
            self._wishes.move_to_end(key)
            while len(self._wishes) > WAITING:
                self._wishes.popitem(last=False)
            self._next()
        return None

    def close(self) -> None:
        """Make no more."""
        self._wishes.clear()
        self._background.close()

    def _next(self) -> None:
        study = self._study
        if self._busy or not self._wishes or study is None:
            return
        key, case = self._wishes.popitem()
        self._busy = key

        def keep(image: QImage) -> None:
            self._busy = ""
            if self._study is study:
                self._pictures[key] = _icon(image)
                while len(self._pictures) > KEPT:
                    self._pictures.popitem(last=False)
                self.ready.emit(case.id)
            self._next()

        def failed(_: Exception) -> None:  # opening the case tells why
            self._busy = ""
            self._unreadable.add(key)
            self._next()

        path = None if study.read_only else thumbnail_path(study, case)
        self._background.run(lambda: _load(case, thumbnail_path(study, case), path), keep, failed)


def thumbnail_path(study: Study, case: Case) -> Path:
    """Return where the picture of a case is kept; another content or another way of reading has another picture."""
    return study.cache_folder / "thumbnails" / f"{_key(case)}.png"


def middle_slice(scan: Volume) -> np.ndarray:
    """Return the middle axial slice as grey values from 0 to 255, uint8 (y, x), in the contrast in which scans are shown."""
    low, high = grey_limits(scan.array)
    plane = scan.array[scan.array.shape[0] // 2].astype(np.float32)
    shown: np.ndarray = np.nan_to_num(np.clip((plane - low) / max(high - low, 1e-6), 0, 1) * 255)
    return shown.astype(np.uint8)


def _load(case: Case, known: Path, store: Path | None) -> QImage:
    """Read the picture, or make and keep it; in the thread, where images may be used and pixmaps may not."""
    image = QImage(str(known)) if known.is_file() else QImage()
    if not image.isNull():
        return image
    scan = case.read()
    plane = np.ascontiguousarray(middle_slice(scan))
    rows, columns = plane.shape
    raw = QImage(plane.data, columns, rows, columns, QImage.Format.Format_Grayscale8)
    _, height, width = (size * count for size, count in zip(scan.spacing, scan.array.shape, strict=True))  # millimetres
    scale = SIZE / max(height, width)
    size = QSize(max(round(width * scale), 1), max(round(height * scale), 1))
    image = raw.scaled(size, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation)
    if store is not None:
        write_or_explain(store, lambda path: _save(image, path))
    return image


def _icon(image: QImage) -> QIcon:
    """Return a picture that is drawn at the size of the row, and not tinted where the row is marked."""
    icon, pixmap = QIcon(), QPixmap.fromImage(image)
    for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected):
        icon.addPixmap(pixmap, mode)
    return icon


def _save(image: QImage, path: Path) -> None:
    if not image.save(str(path), "PNG"):  # type: ignore[call-overload]  # PySide6 wants a str, whatever its types say
        raise OSError(f"{path.name} could not be written")


def _key(case: Case) -> str:
    how = "" if case.part is None else f"-{case.part}"
    return f"{case.hash[:24]}{how}{'-r' if case.resample else ''}" if case.hash else case.id
