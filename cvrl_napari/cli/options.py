"""Command-line options made from a settings class, so that names, defaults and help are stated once, in `config`."""

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

Asked = dict[str, Any]
"""What was typed, by field name; the verb builds the settings from it, where it can answer a refusal."""


def options_of(settings: type[BaseModel]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Replace a verb's parameter `asked` by one option for each field of `settings`."""

    def decorate(verb: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(verb)
        def with_options(**given: Any) -> None:
            asked = {name: _from_text(field, given.pop(name)) for name, field in settings.model_fields.items()}
            verb(asked=asked, **given)

        own = [parameter for parameter in inspect.signature(verb).parameters.values() if parameter.name != "asked"]
        made = [_option(name, field) for name, field in settings.model_fields.items()]
        parameters = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own + made]
        with_options.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        with_options.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return with_options

    return decorate


def _option(name: str, field: FieldInfo) -> inspect.Parameter:
    """One keyword option; a tuple of names is typed as one word, separated by commas."""
    many = isinstance(field.default, tuple)
    option = typer.Option(help=field.description, metavar="A,B,..." if many else None)
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=",".join(map(str, field.default)) if many else field.default,
        annotation=Annotated[str if many else field.annotation, option],
    )


def _from_text(field: FieldInfo, value: Any) -> Any:
    return split_names(value) if isinstance(field.default, tuple) else value


def split_names(text: str) -> tuple[str, ...]:
    """Return the names in ``'left atrium, aorta'``, without surrounding blanks or empty ones."""
    return tuple(name for part in text.split(",") if (name := part.strip()))
