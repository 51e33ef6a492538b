"""Adding, renaming and recolouring the classes of the open study. No widgets."""

from collections.abc import Sequence

from pydantic import ValidationError
from qtpy.QtCore import QObject, Signal

from cvrl_napari.gui.layers import Layers
from cvrl_napari.study.classes import StructureClass, distinct_colors
from cvrl_napari.study.errors import StudyError
from cvrl_napari.study.study import Study

NO_NAME = "A class needs a name and a color."


class ClassEditing(QObject):
    """Changes are saved before they are shown; the layers on view follow.

    Signals
    -------
    changed
        Names, colours or number of the classes may be others now; also after a change that was refused.
    refused : str, str, str
        Why a change cannot be: a sentence, what to do, no details.
    """

    changed = Signal()
    refused = Signal(str, str, str)

    def __init__(self, layers: Layers, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._layers = layers
        self._study: Study | None = None

    def open(self, study: Study | None) -> None:
        """From now on the classes are this study's."""
        self._study = study

    def add(self, names: Sequence[str]) -> bool:
        """Add structures with the next numbers and colours of their own; False when that cannot be."""
        if self._study is None:
            return False
        before = self._study.classes
        colors = distinct_colors(len(before) + len(names))[len(before) :]
        try:
            added = [
                StructureClass(id=number, name=name.strip()[:100], color=color)
                for number, (name, color) in enumerate(zip(names, colors, strict=True), start=len(before) + 1)
            ]
        except ValidationError:
            return self._refuse()
        return self._set((*before, *added))

    def rename(self, class_id: int, name: str) -> None:
        """Give a structure another name."""
        self._edit(class_id, name=name.strip()[:100])

    def recolor(self, class_id: int, color: str) -> None:
        """Give a structure another colour, '#rrggbb'."""
        self._edit(class_id, color=color)

    def _edit(self, class_id: int, **changes: str) -> None:
        if self._study is None:
            return
        try:
            changed = [
                StructureClass(**{**one.model_dump(), **changes}) if one.id == class_id else one for one in self._study.classes
            ]
        except ValidationError:
            self._refuse()
        else:
            self._set(changed)

    def _set(self, classes: Sequence[StructureClass]) -> bool:
        assert self._study is not None
        try:
            self._study.set_classes(classes)
        except StudyError as error:
            return self._refuse(str(error), "")
        self._layers.set_classes(self._study.classes)
        self.changed.emit()
        return True

    def _refuse(self, sentence: str = NO_NAME, hint: str = "Type a name such as 'left atrium'.") -> bool:
        self.refused.emit(sentence, hint, "")
        self.changed.emit()  # what was typed is taken back
        return False
