"""The name of a scan: its file name without the ending that says the format."""

from pathlib import Path

SUFFIXES = (".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd", ".mgh", ".mgz", ".hdr", ".img")
"""Endings of scans that lie in a file of their own, small letters, longest first."""

DICOM_SUFFIXES = (".dcm", ".dicom", ".ima")


def format_suffix(path: Path) -> str:
    """Return the ending that says the format, in small letters: '.nii.gz', '.dcm', or '' for any other name."""
    name = path.name.lower()
    return next((suffix for suffix in (*SUFFIXES, *DICOM_SUFFIXES) if name.endswith(suffix)), "")


def scan_name(path: Path) -> str:
    """Return the name of a scan: 'patient_01.nii.gz' -> 'patient_01', a folder 'visit.2' -> 'visit.2'."""
    name = path.name
    suffix = format_suffix(path)
    return name[: -len(suffix)] if suffix and len(name) > len(suffix) else name
