"""The phantom as napari sample data: generated once, kept in the user's cache."""

import shutil
from pathlib import Path

import platformdirs

from cvrl_napari.gui.class_colors import class_colormap, class_names
from cvrl_napari.gui.placement import PAINTED_BACKGROUND_KEY, SOURCE_KEY, placement
from cvrl_napari.gui.readers import LayerData
from cvrl_napari.study.errors import StudyError
from cvrl_napari.study.labels import BACKGROUND
from cvrl_napari.study.phantom import create_phantom
from cvrl_napari.study.study import Study


def phantom() -> list[LayerData]:
    """Return the scan and the labels of the phantom's first labeled case."""
    study = cached_phantom()
    case = study.case(study.labeled_cases()[0])
    scan, labels = study.read_scan(case.id), study.read_labels(case.id)
    about = {"metadata": {SOURCE_KEY: str(case.scan), PAINTED_BACKGROUND_KEY: BACKGROUND}, **placement(scan)}
    look = {"colormap": class_colormap(study.classes), "features": class_names(study.classes)}
    return [
        (scan.array, {"name": f"CVRL phantom {case.id}", "colormap": "gray", **about}, "image"),
        (labels, {"name": f"CVRL phantom {case.id} labels", **look, **about}, "labels"),
    ]


def cached_phantom() -> Study:
    """Open the phantom study for reading, generated anew when there is none or it is damaged."""
    folder = platformdirs.user_cache_path("cvrl-napari") / "phantom"
    try:
        return Study.open(folder, read_only=True)
    except StudyError:
        return _generate(folder)


def _generate(folder: Path) -> Study:
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    create_phantom(folder).close()
    return Study.open(folder, read_only=True)
