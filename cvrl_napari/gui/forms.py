"""magicgui forms made from the fields of `config.py`: names, defaults, ranges, and descriptions as tooltips."""

import types
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from magicgui.widgets import CheckBox, ComboBox, Container, Widget, create_widget
from magicgui.widgets.bases import ValueWidget
from pydantic.fields import FieldInfo

from cvrl_napari.config import Settings

AnySettings = TypeVar("AnySettings", bound=Settings)
LARGEST = {int: 2**31 - 1, float: 1e9}


def form_of(settings: type[Settings], names: tuple[str, ...]) -> Container[Widget]:
    """Make a form with one row for each of the named fields, set to its default.

    A number that may be left empty (`int | None`) is shown as 0, which reads "as the preset says".
    """
    rows = [_row(name, settings.model_fields[name]) for name in names]
    return Container(widgets=rows, labels=True, layout="vertical")


def read_form(form: Container[Widget], settings: type[AnySettings], **others: Any) -> AnySettings:
    """Read a form made by `form_of` back into settings; `others` are fields the form does not show.

    Raises
    ------
    pydantic.ValidationError
        If a value is out of the field's range.
    """
    values = {row.name: _value(row, settings.model_fields[row.name]) for row in form if isinstance(row, ValueWidget)}
    return settings(**values, **others)


def _row(name: str, field: FieldInfo) -> ValueWidget[Any]:
    kind, optional = _kind(field.annotation)
    label, tooltip = name.replace("_", " "), field.description or ""
    if get_origin(kind) is Literal:
        return ComboBox(name=name, label=label, tooltip=tooltip, choices=get_args(kind), value=field.default)
    if kind is bool:
        return CheckBox(name=name, label=label, tooltip=tooltip, value=field.default)
    low, high = _range(field, kind)
    options = {"tooltip": tooltip, "min": 0 if optional else low, "max": high}
    row = create_widget(name=name, label=label, annotation=kind, value=field.default or 0, options=options)
    if optional:
        row.native.setSpecialValueText("as the preset says")
    assert isinstance(row, ValueWidget)
    return row


def _value(row: ValueWidget[Any], field: FieldInfo) -> Any:
    _, optional = _kind(field.annotation)
    return None if optional and not row.value else row.value


def _kind(annotation: Any) -> tuple[Any, bool]:
    """Return the type without its None, and whether None is allowed."""
    if get_origin(annotation) in (Union, types.UnionType):
        kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
        return kinds[0], len(kinds) < len(get_args(annotation))
    return annotation, False


def _range(field: FieldInfo, kind: type) -> tuple[Any, Any]:
    low, high = 0, LARGEST[kind]
    for limit in field.metadata:
        low = getattr(limit, "ge", getattr(limit, "gt", low))
        high = getattr(limit, "le", getattr(limit, "lt", high))
    return low, high
