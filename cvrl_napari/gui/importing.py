"""Labels made elsewhere on their way onto the case on view: looked through and merged in the background."""

from collections.abc import Sequence
from pathlib import Path

from qtpy.QtCore import QObject, Signal

from cvrl_napari.gui.background import Background
from cvrl_napari.gui.class_editing import ClassEditing
from cvrl_napari.gui.import_choice import ImportChoice
from cvrl_napari.gui.layers import Layers
from cvrl_napari.gui.painting import Painting
from cvrl_napari.gui.words import counted
from cvrl_napari.study.label_import import LabelSurvey, Merged, merge, survey


class Importing(QObject):
    """First `look`, then, once somebody said what the values stand for, `bring`.

    Signals
    -------
    busy : str
        What is going on; empty when it has ended.
    looked : object
        The `LabelSurvey` of the files for the case on view: time to ask what their values stand for.
    done : str, str
        The labels are on the screen, on their way to disk: a sentence, and more about it.
    failed : object
        The error that says why not.
    """

    busy = Signal(str)
    looked = Signal(object)
    done = Signal(str, str)
    failed = Signal(object)

    def __init__(self, layers: Layers, painting: Painting, classes: ClassEditing, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._layers, self._painting, self._classes = layers, painting, classes
        self._reading = Background(self)

    def look(self, files: Sequence[Path]) -> None:
        """Look through label files for the case on view; `looked` or `failed` tells what is in them."""
        case, scan = self._layers.case, self._layers.scan
        if case is None or scan is None:
            return

        def done(found: LabelSurvey) -> None:
            self.busy.emit("")
            if self._layers.case == case:
                self.looked.emit(found)

        self.busy.emit(f"Looking at labels for {case}")
        self._reading.run(lambda: survey(files, scan), done, self._on_failed)

    def bring(self, found: LabelSurvey, choice: ImportChoice) -> None:
        """Merge the files as chosen, and put the result into the labels of the case on view as one step."""
        case, scan = self._layers.case, self._layers.scan
        if case is None or scan is None:
            return

        def done(merged: Merged) -> None:
            self.busy.emit("")
            if self._layers.case != case:
                self.done.emit(f"The labels for {case} were not imported.", "Another case is on view: open it, import again.")
                return
            values = {class_id for class_id in choice.mapping.values() if class_id}
            if choice.new_classes and not self._classes.add(choice.new_classes):
                return
            changed = self._painting.bring(values, merged.labels, complete=choice.complete)
            more = f"{counted(changed, 'voxel')} changed; Ctrl+Z takes it back."
            if merged.overlaps:
                more += f" {merged.overlaps:,} voxels were in several files: the later one counts."
            self.done.emit(f"Labels were imported for {case}.", more)

        self.busy.emit(f"Importing labels for {case}")
        self._reading.run(lambda: merge(found, choice.mapping, scan, resample=choice.resample), done, self._on_failed)

    def close(self) -> None:
        """Forget what was asked for."""
        self._reading.close()

    def _on_failed(self, error: Exception) -> None:
        self.busy.emit("")
        self.failed.emit(error)
