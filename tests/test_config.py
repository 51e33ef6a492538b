"""Every setting is explained, and read somewhere."""

import re
from pathlib import Path

import pytest

import cvrl_napari
from cvrl_napari import config
from cvrl_napari.config import Settings

GROUPS = [
    group
    for group in vars(config).values()
    if isinstance(group, type) and issubclass(group, Settings) and group is not Settings
]
SETTINGS = [(group, name) for group in GROUPS for name in group.model_fields]


@pytest.fixture(scope="module")
def source() -> str:
    package = Path(cvrl_napari.__file__).parent
    return "\n".join(path.read_text(encoding="utf-8") for path in package.rglob("*.py") if path.name != "config.py")


@pytest.mark.parametrize(("group", "name"), SETTINGS, ids=lambda value: getattr(value, "__name__", value))
def test_a_setting_is_read_somewhere(group, name, source):
    assert re.search(rf"\.{name}\b", source), f"{group.__name__}.{name} is read nowhere"


@pytest.mark.parametrize("name", sorted(config.TrainRequest.model_fields))
def test_what_a_person_may_ask_for_is_explained(name):
    assert config.TrainRequest.model_fields[name].description


def test_settings_are_frozen_and_refuse_unknown_names():
    with pytest.raises(ValueError, match="frozen"):
        config.NetConfig().width = 3
    with pytest.raises(ValueError, match="Extra inputs"):
        config.NetConfig(widht=3)
