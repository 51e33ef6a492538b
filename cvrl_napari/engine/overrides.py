"""Changes of single settings of a plan, as ablations need them: ``contrast.high_voxel_weight=0``."""

import json
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from cvrl_napari.config import Plan
from cvrl_napari.engine.errors import EngineError

Overrides = dict[str, Any]
"""Value by dotted name of the setting."""

FIXED = frozenset(
    "method preset device seed steps minutes labeled_cases unlabeled_cases held_out_cases reasons".split()  # noqa: SIM905
)
"""What a benchmark decides for each run itself."""


def parse_overrides(texts: Sequence[str]) -> Overrides:
    """Read ``name=value`` pairs; a value is JSON where it can be read as that, else the text as it stands.

    Raises
    ------
    EngineError
        If a text has no '=', or one name comes twice.
    """
    overrides: Overrides = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not name or name in overrides:
            raise EngineError(
                f"--set {text} is not understood.", "Write each setting once, such as contrast.high_voxel_weight=0."
            )
        try:
            overrides[name] = json.loads(value)
        except json.JSONDecodeError:
            overrides[name] = value
    return overrides


def override(plan: Plan, overrides: Overrides) -> Plan:
    """Return the plan with settings changed and checked.

    Raises
    ------
    EngineError
        If there is no such setting, it may not be changed, or the value is not allowed.
    """
    fields = plan.model_dump()
    for name, value in overrides.items():
        *groups, last = name.split(".")
        group = fields
        for part in groups:
            group = group.get(part) if isinstance(group, dict) else None  # type: ignore[assignment]
        if not isinstance(group, dict) or last not in group or isinstance(group[last], dict):
            raise EngineError(f"--set {name}: there is no such setting.", "cvrl_napari/config.py has the names, below Plan.")
        if name in FIXED:
            raise EngineError(f"--set {name}: the benchmark sets this itself.", "Use the options of cvrl benchmark.")
        group[last] = value
    try:
        return Plan.model_validate(fields)
    except ValidationError as error:
        problem = error.errors()[0]
        name = ".".join(str(part) for part in problem["loc"])
        raise EngineError(f"--set {name}={problem['input']}: {problem['msg']}.", "Choose a value that is allowed.") from error
