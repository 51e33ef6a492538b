"""The manifest is valid, and everything it names is there."""

from pathlib import Path

from npe2 import PluginManifest
from npe2.manifest.utils import import_python_name

from cvrl_napari.volumes.naming import DICOM_SUFFIXES, SUFFIXES

PACKAGE = Path(__file__).parents[2] / "cvrl_napari"


def test_every_command_can_be_imported():
    manifest = PluginManifest.from_file(PACKAGE / "napari.yaml")
    for command in manifest.contributions.commands:
        assert callable(import_python_name(command.python_name)), command.id


def test_every_contribution_names_a_command_of_the_manifest():
    contributions = PluginManifest.from_file(PACKAGE / "napari.yaml").contributions
    commands = {command.id for command in contributions.commands}
    used = [*contributions.readers, *contributions.writers, *contributions.widgets, *contributions.sample_data]
    used += [item for menu in contributions.menus.values() for item in menu]
    assert {item.command for item in used} == commands


def test_the_reader_is_asked_for_every_ending_that_is_read_and_no_other():
    (reader,) = PluginManifest.from_file(PACKAGE / "napari.yaml").contributions.readers
    assert {pattern.removeprefix("*") for pattern in reader.filename_patterns} == {*SUFFIXES, *DICOM_SUFFIXES}
