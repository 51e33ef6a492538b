"""The sample data is made once, opens as scan and labels, and mends itself."""

from pathlib import Path

import numpy as np
import platformdirs
import pytest

from cvrl_napari.gui.samples import phantom


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = platformdirs.user_cache_path("cvrl-napari")
    if tmp_path not in folder.parents:
        pytest.skip("the user's cache cannot be moved on this system")
    return folder


def test_a_damaged_phantom_is_made_anew_and_a_good_one_is_kept(cache: Path):
    (cache / "phantom").mkdir(parents=True)
    (cache / "phantom" / "study.json").write_text("{")
    (scan, about, image), (labels, _, kind) = phantom()
    assert (image, kind) == ("image", "labels")
    assert labels.shape == scan.shape
    assert labels.any()
    assert Path(about["metadata"]["cvrl_source"]).is_file()
    made = (cache / "phantom" / "study.json").stat().st_mtime_ns
    np.testing.assert_array_equal(phantom()[0][0], scan)
    assert (cache / "phantom" / "study.json").stat().st_mtime_ns == made
