"""Nothing that says who a patient is leaves the DICOM files: not into a study, not into what is written for other programs."""

from pathlib import Path

import numpy as np
import pytest

from cvrl_napari.study.study import Study
from cvrl_napari.volumes.dicom_catalog import list_series
from cvrl_napari.volumes.reading import read
from cvrl_napari.volumes.segments import Segment
from cvrl_napari.volumes.writing import WRITABLE_SUFFIXES, write

WHO = {
    "PatientName": "Avasarala^Chrisjen",
    "PatientID": "MRN-4711-0815",
    "PatientBirthDate": "19510203",
    "PatientAddress": "12 Luna Crescent",
    "OtherPatientNames": "Undersecretary",
    "AccessionNumber": "ACC99887766",
    "ReferringPhysicianName": "Okoye^Elvi",
    "InstitutionName": "General Hospital of Ceres",
}


@pytest.fixture
def series(make_series) -> Path:
    def name(header, index):
        for keyword, value in WHO.items():
            setattr(header, keyword, value)

    return make_series("scans", slices=5, edit=name)


def telling(content: bytes) -> list[str]:
    """Return what of a patient is in a file's content, in any of the encodings text comes in."""
    words = [word for value in WHO.values() for word in (value, *value.split("^"))]
    return [word for word in words if any(word.encode(coding) in content for coding in ("utf-8", "utf-16-le"))]


def contents(folder: Path) -> dict[Path, bytes]:
    """Return the files below a folder; zipped ones are unzipped."""
    import gzip

    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path: gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes() for path in files}


def test_the_words_are_found_where_they_are(series):
    assert all(len(telling(content)) >= len(WHO) for content in contents(series).values())


def test_a_study_of_a_series_names_nobody(series, tmp_path, caplog, capfd):
    assert list_series(series)[0].path == series
    with Study.create(tmp_path / "study", [series], classes=("organ",)) as study:
        (case,) = study.cases
        scan = study.read_scan(case.id)
        labels = np.zeros(scan.array.shape, np.uint8)
        labels[2:] = 1
        study.write_labels(case.id, labels, state="complete")
    files = contents(tmp_path / "study")
    assert len(files) >= 2
    assert {path.name: telling(content) for path, content in files.items() if telling(content)} == {}
    assert telling((caplog.text + "".join(capfd.readouterr())).encode()) == []


@pytest.mark.parametrize("suffix", WRITABLE_SUFFIXES)
def test_a_mask_for_a_series_names_nobody(series, tmp_path, suffix):
    scan = read(series)
    (tmp_path / "masks").mkdir()
    mask = scan.with_array((scan.array > 200).astype(np.uint8))
    write(tmp_path / "masks" / f"mask{suffix}", mask, [Segment(1, "organ", "#ff0000")])
    write(tmp_path / "masks" / f"scan{suffix}", scan)
    files = contents(tmp_path / "masks")
    assert len(files) == 2
    assert {path.name: telling(content) for path, content in files.items() if telling(content)} == {}
