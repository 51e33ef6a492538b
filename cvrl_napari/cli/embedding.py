"""What `cvrl embed` does: the features of one scan into files to take away, or those of cases of a study into its cache."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from cvrl_napari.cli.selection import cases_of, images_from
from cvrl_napari.config import DeviceName
from cvrl_napari.engine.embed import embed
from cvrl_napari.engine.embed_cases import embed_cases
from cvrl_napari.engine.errors import EngineError
from cvrl_napari.engine.events import Event
from cvrl_napari.study.study import Study


def embedding(
    model: Path,
    scan: Path | None,
    output: Path | None,
    *,
    study: Path | None,
    cases: Sequence[str],
    cache: bool,
    part: str,
    resample: bool,
    device: DeviceName,
) -> Iterator[Event]:
    """Return the events of the job that the options ask for.

    Raises
    ------
    EngineError
        If they ask for none, or for two.
    StudyError
        If there is no such study or case.
    """
    if cache:
        if study is None or scan is not None or output is not None or not cases:
            raise EngineError(
                "--cache keeps features of cases of a study.", "Give --study and --case, and neither SCAN nor --output."
            )
        return embed_cases(Study.open(study, read_only=True), model, cases, device=device)
    if scan is None or output is None or cases:
        raise EngineError("What is to be embedded is not clear.", "Give SCAN and --output, or --cache with --study and --case.")
    (chosen,) = cases_of(study, [scan]) if study else images_from([scan], part=part, resample=resample)
    return embed(model, chosen, output, device=device)
