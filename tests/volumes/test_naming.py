from pathlib import Path

import pytest

from cvrl_napari.volumes.naming import format_suffix, scan_name


@pytest.mark.parametrize(
    ("file", "name", "suffix"),
    [
        ("patient_01.nii.gz", "patient_01", ".nii.gz"),
        ("a/b/patient.01.v2.nii", "patient.01.v2", ".nii"),
        ("UPPER.NII.GZ", "UPPER", ".nii.gz"),
        ("head.nrrd", "head", ".nrrd"),
        ("head.mhd", "head", ".mhd"),
        ("1.2.840.5.dcm", "1.2.840.5", ".dcm"),
        ("visit.2", "visit.2", ""),
        ("I10", "I10", ""),
        ("mask.gz", "mask.gz", ""),
        (".nii.gz", ".nii.gz", ".nii.gz"),
        ("Ä ö 脳.nii.gz", "Ä ö 脳", ".nii.gz"),
    ],
)
def test_the_name_is_what_is_left_of_the_format(file, name, suffix):
    assert scan_name(Path(file)) == name
    assert format_suffix(Path(file)) == suffix
