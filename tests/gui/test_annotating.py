"""A scripted person paints three left-atrium scans with every tool, by mouse and key, and finds all of it again.

Strokes follow the reference labels. A picture of every step lies in the test's temporary folder (`pytest --basetemp=DIR`);
`docs/pictures_annotating.py` takes the same steps for the user guide.
"""

import shutil

import pytest

from .annotating_walk import walk
from .annotator import Annotator

pytestmark = [pytest.mark.gui, pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture
def atria(shared_data, tmp_path):
    """Three left-atrium scans and their labels, copied so that nothing can happen to the originals."""
    for kind in ("scans", "labels"):
        (tmp_path / kind).mkdir()
        for path in sorted((shared_data / "left_atrium" / kind).iterdir())[:3]:
            shutil.copy(path, tmp_path / kind)
    return tmp_path


def test_from_an_empty_viewer_to_three_labeled_atria_with_every_tool(make_napari_viewer, atria):
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1366, 768)
    walk(Annotator(viewer, atria, ("left atrium", "wall")))
