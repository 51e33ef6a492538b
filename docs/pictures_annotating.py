"""Make the pictures of the guide's walk through annotating, by mouse and key: `python docs/pictures_annotating.py [--all]`.

Without a screen: `xvfb-run -a -s "-screen 0 1600x1000x24" python docs/pictures_annotating.py`. The steps are those of
`tests/gui/test_annotating.py`, which takes them on left atria; here the scans are the phantom's.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import napari
import nibabel
import numpy as np
from PIL import Image

from cvrl_napari.study.phantom import CLASS_NAME, create_phantom

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.gui.annotating_walk import walk
from tests.gui.annotator import Annotator

HERE = Path(__file__).parent / "pictures"
WINDOW = (1366, 768)
SIZE = 1.7
"""Of the phantom: chambers as many voxels wide as left atria are in a scan."""
IN_THE_GUIDE = (
    "02-new-study",
    "04-strokes",
    "05-interpolated",
    "07-statistics",
    "08-grey-range",
    "09-linked-views",
    "11-strokes-to-grow-from",
    "12-grown",
    "13-import",
    "14-imported-with-a-note",
    "15-brush-brings-mask",
    "16-difference",
    "17-accepted",
)


class Photographer(Annotator):
    """Keeps the pictures of the steps that the guide shows."""

    wanted: tuple[str, ...] | None = IN_THE_GUIDE

    def look(self, name: str) -> None:
        """Save the window with what stands before it as `step-NAME.png`, in 256 colors."""
        if self.wanted is None or name in self.wanted:
            with tempfile.NamedTemporaryFile(suffix=".png") as file:
                self.picture().save(file.name)
                path = HERE / f"step-{name}.png"
                Image.open(file.name).convert("RGB").quantize(256, kmeans=1).save(path, optimize=True)
            print(name, path.stat().st_size // 1000, "kB", flush=True)


def make_scans(folder: Path) -> None:
    """Make three scans and their labels, in folders of their own."""
    with create_phantom(folder / "phantom", size=SIZE) as study:
        for case in study.labeled_cases()[:3]:
            for kind in ("scans", "labels"):
                (folder / kind).mkdir(exist_ok=True)
            scan = nibabel.load(study.case(case).scan)
            shutil.copy(study.case(case).scan, folder / "scans" / f"{case}.nii.gz")
            labels = (np.asarray(nibabel.load(study.folder / "labels" / f"{case}.nii.gz").dataobj) == 1).astype(np.uint8)
            nibabel.save(nibabel.Nifti1Image(labels, scan.affine), folder / "labels" / f"{case}.nii.gz")
    shutil.rmtree(folder / "phantom")


def main() -> None:
    """Take the walk."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="a picture of every step, not only of those in the guide")
    if parser.parse_args().all:
        Photographer.wanted = None
    with tempfile.TemporaryDirectory(prefix="heart-") as place:
        make_scans(Path(place))
        viewer = napari.Viewer(title="napari")
        viewer.theme = "dark"
        viewer.window.resize(*WINDOW)
        walk(Photographer(viewer, Path(place), (CLASS_NAME, "wall")))
        viewer.close()


if __name__ == "__main__":
    main()
