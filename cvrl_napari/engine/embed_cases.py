"""The features of cases of a study, computed once for a model and kept where the viewer finds them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import cast

import numpy as np
from torch import Tensor, nn

from cvrl_napari.config import DeviceName, Triple
from cvrl_napari.engine.dense_features import CellArrays, Grid, grids_of, write_features
from cvrl_napari.engine.device import pick, set_threads
from cvrl_napari.engine.embedding_cache import LEVELS, LIMIT_BYTES, CaseFolder, Level, prune
from cvrl_napari.engine.errors import EngineError
from cvrl_napari.engine.events import CaseEmbedded, Event, Progress
from cvrl_napari.engine.model_file import Model, load_model
from cvrl_napari.engine.predict import read_for_model
from cvrl_napari.engine.projected_features import RowProjector
from cvrl_napari.nets.projector import Projector
from cvrl_napari.study.errors import StudyError
from cvrl_napari.study.storage import reason
from cvrl_napari.study.study import Study
from cvrl_napari.volumes.errors import VolumeError
from cvrl_napari.volumes.storage import atomic_path

WHAT = "Computing features"


def embed_cases(
    study: Study,
    model: Path,
    case_ids: Sequence[str],
    *,
    device: DeviceName = "auto",
    threads: int = 0,
    limit_bytes: int = LIMIT_BYTES,
) -> Iterator[Event]:
    """Compute and cache the features of cases; those that are cached already take no time.

    Older embeddings of the study give way to these where the cache would grow beyond its limit. A case that cannot be embedded
    does not keep the others from it. Closing the generator leaves whole cases only.

    Yields
    ------
    Progress, CaseEmbedded

    Raises
    ------
    EngineError
        If the model cannot be used, or the cases do not fit the limit; at the end, if some cases could not be embedded.
    StudyError
        If there is no case of an id, or the cache cannot be written.
    """
    set_threads(threads)
    student = load_model(model, pick(device).torch_device)
    folders = [CaseFolder(study, model, case_id) for case_id in case_ids]
    failures = []
    for number, (case_id, folder) in enumerate(zip(case_ids, folders, strict=True)):
        if folder.is_whole():
            folder.touch()
        else:
            try:
                yield from _embed_one(student, study, case_id, folder)
            except (VolumeError, EngineError) as error:
                failures.append(f"{case_id}: {error}")
                continue
            made = {one.path for one in folders[: number + 1]}
            if prune(study, limit_bytes=limit_bytes, keep=made) > limit_bytes:
                raise EngineError(
                    f"The features of these cases need more than the {limit_bytes / 1e9:g} GB that are kept of a study.",
                    f"Choose fewer cases; those up to {case_id} are ready.",
                )
        yield CaseEmbedded(case=case_id)
    if failures:
        raise EngineError(f"{len(failures)} of {len(case_ids)} cases could not be embedded. {' '.join(failures)}", "")


def row_projectors(projectors: nn.ModuleDict) -> dict[Level, RowProjector]:
    """Return trained projectors as plain arrays, their batch norms folded into their first layers."""
    found: dict[Level, RowProjector] = {}
    for level in LEVELS:
        if level in projectors:
            found[level] = _as_rows(cast(Projector, projectors[level]))
    return found


def _embed_one(student: Model, study: Study, case_id: str, folder: CaseFolder) -> Iterator[Progress]:
    yield Progress(what=WHAT, done=0, total=1, case=case_id)
    scan, image = read_for_model(study.case(case_id).images, student.card)
    size: Triple = (image.shape[1], image.shape[2], image.shape[3])
    grids = grids_of(student, size)
    try:
        folder.begin()
        with ExitStack() as files:
            paths = {
                level: [files.enter_context(atomic_path(folder.array(level, what))) for what in CellArrays._fields]
                for level in grids
            }
            for done, total in _write(student, image, grids, paths):
                yield Progress(what=WHAT, done=done, total=total, case=case_id)
        scales = {level: grid.scale(scan.array.shape, size) for level, grid in grids.items()}
        folder.finish(scan.array.shape, scales, row_projectors(student.projectors))
    except OSError as error:
        raise StudyError(f"The features of '{case_id}' could not be saved in {folder.path}, {reason(error)}.") from error


def _write(
    student: Model, image: Tensor, grids: Mapping[Level, Grid], paths: Mapping[Level, Sequence[Path]]
) -> Iterator[tuple[int, int]]:
    """Compute the features into the files; when this returns nothing holds them any more."""
    into = {}
    for level, grid in grids.items():
        made = [
            np.lib.format.open_memmap(path, mode="w+", dtype=kind, shape=shape)
            for path, (kind, shape) in zip(paths[level], grid.layout(), strict=True)
        ]
        into[level] = CellArrays(*made)
    yield from write_features(student, image, grids, into)


def _as_rows(projector: Projector) -> RowProjector:
    norm = projector.norm
    assert norm.running_mean is not None
    assert norm.running_var is not None
    gain = norm.weight / (norm.running_var + norm.eps).sqrt()
    tensors = gain[:, None] * projector.hidden.weight, norm.bias - gain * norm.running_mean
    arrays = (one.detach().float().cpu().numpy() for one in (*tensors, projector.output.weight, projector.output.bias))
    return RowProjector(*arrays)
