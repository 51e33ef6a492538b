import typer
from typer.testing import CliRunner

from cvrl_napari.cli.options import Asked, options_of, split_names
from cvrl_napari.config import TrainRequest


def ask(*arguments: str) -> TrainRequest:
    """What the options of `TrainRequest` make of a command line."""
    app = typer.Typer()
    heard: list[TrainRequest] = []

    @app.command()
    @options_of(TrainRequest)
    def verb(asked: Asked, other: str = "") -> None:
        heard.append(TrainRequest(**asked))

    answer = CliRunner().invoke(app, arguments)
    assert answer.exit_code == 0, answer.output
    return heard[0]


def test_nothing_typed_gives_the_defaults() -> None:
    assert ask() == TrainRequest()


def test_every_kind_of_setting_can_be_typed() -> None:
    typed = ask(
        *[
            "--method",
            "supervised",
            "--steps",
            "12",
            "--minutes",
            "1.5",
            "--labeled",
            "a, b",
            "--labeled-first",
            "2",
            "--other",
            "x",
        ]
    )
    assert typed == TrainRequest(method="supervised", steps=12, minutes=1.5, labeled=("a", "b"), labeled_first=2)


def test_names_are_separated_by_commas() -> None:
    assert split_names(" left atrium,aorta ,,") == ("left atrium", "aorta")
    assert split_names("") == ()
