"""The embeddings of the chosen cases by the chosen model: loaded, or computed first in a child process."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

from qtpy.QtCore import QObject, Signal

from cvrl_napari.engine.embedding_cache import CaseEmbeddings, Level, is_of_another_model, load_embeddings
from cvrl_napari.engine.events import CheckpointSaved, RunDone
from cvrl_napari.engine.run_folder import RunFolder, is_untrained, newest_model
from cvrl_napari.gui.background import Background
from cvrl_napari.gui.embeddings.jobs import Job
from cvrl_napari.gui.session import Session
from cvrl_napari.study.renumbering import is_older_than_classes
from cvrl_napari.study.study import Study

Scope = Literal["view", "labeled", "held out", "all", "chosen"]
SCOPES: dict[Scope, str] = {
    "view": "this scan",
    "labeled": "labeled scans",
    "held out": "held-out scans",
    "all": "all scans",
    "chosen": "chosen scans…",
}
"""Which cases, in words."""
NO_MODEL = "There is no model yet: press Train in the CVRL dock; its features can be looked at as soon as it saves."
UNTRAINED = "This model has not learned anything yet: its features are random. Press Train in the CVRL dock."


class _Found(NamedTuple):
    """What lies in the cache, None where nothing does; the cases whose features there are another model's."""

    embeddings: dict[str, CaseEmbeddings | None]
    of_others: tuple[str, ...]
    is_untrained: bool


class Computed(QObject):
    """What there is to look at. Everything slow is done in a thread or a child process.

    Signals
    -------
    changed
        `loaded` holds something else: other cases, another model, newer features.
    state_changed
        What is missing or under way is something else: see `missing`, `job`, `sentence`.
    failed : str, str, str
        Sentence, what to do, details.
    """

    changed = Signal()
    state_changed = Signal()
    failed = Signal(str, str, str)

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._background = Background(self)
        self._wanted = 0
        self._again = False
        self.job = Job(self)
        self.model: Path | None = None
        self.level: Level = "low"
        self.scope: Scope = "view"
        self.chosen: tuple[str, ...] = ()
        self.follows = False
        self.is_outdated = False
        self.loaded: dict[str, CaseEmbeddings] = {}
        self.former: dict[str, CaseEmbeddings] = {}
        """What cases looked like to the same model before it learned more, as far as it was seen since the model was chosen."""
        self._latest: tuple[tuple[Path, Level] | None, dict[str, CaseEmbeddings]] = (None, {})
        self.missing: tuple[str, ...] = ()
        self._problem = self._warning = ""
        self._of_others: tuple[str, ...] = ()
        self.job.changed.connect(self.state_changed)
        self.job.succeeded.connect(self._on_computed)
        self.job.failed.connect(self._on_failed)
        session.study_changed.connect(self._on_study_changed)
        session.case_opened.connect(self._on_case_opened)
        session.training.event_received.connect(self._on_run_event)
        session.training.ended.connect(self._on_run_event)

    # What is wanted

    def models(self) -> list[Path]:
        """Return the models of the study's runs, the one saved last first; not those that number other classes."""
        models = [RunFolder(run).model for run in self.runs()]
        found = [model for model in models if model.is_file() and not is_older_than_classes(model, model.parents[2])]
        return sorted(found, key=_saved_at, reverse=True)

    def runs(self) -> list[Path]:
        """Return the folders of the study's runs, the newest first."""
        study = self._session.study
        return sorted(study.runs_folder.glob("*/"), reverse=True) if study is not None else []

    def cases(self) -> tuple[str, ...]:
        """Return the cases that are wanted."""
        study = self._session.study
        if study is None:
            return ()
        match self.scope:
            case "view":
                return (self._session.case,) if self._session.case else ()
            case "labeled":
                return study.labeled_cases()
            case "held out":
                return study.held_out_cases()
            case "all":
                return tuple(case.id for case in study.cases)
            case "chosen":
                return tuple(case.id for case in study.cases if case.id in self.chosen)

    def choose(
        self,
        *,
        model: Path | None = None,
        level: Level | None = None,
        scope: Scope | None = None,
        chosen: tuple[str, ...] | None = None,
    ) -> None:
        """Look at another model, level or other cases; what is not given stays. `chosen` is the cases of that scope."""
        self._problem = ""
        self.chosen = self.chosen if chosen is None else chosen
        self.model = model or self.model
        self.level = level or self.level
        self.scope = scope or self.scope
        self.look()

    def sentence(self) -> str:
        """Say why there is nothing to look at, and what to do; empty when nothing is missing."""
        if self._session.study is None:
            return "Open a study in the CVRL dock."
        if self.model is None:
            return NO_MODEL
        if not self.cases():
            if self.scope == "chosen":
                return "None of the chosen scans is in the study: choose others above."
            return "Open a case." if self.scope == "view" else f"The study has no {SCOPES[self.scope]}."
        if self.missing and not self.loaded:
            if self._problem:
                return self._problem
            which = f"of {self.missing[0]}" if len(self.missing) == 1 else f"of these {len(self.missing)} scans"
            if self.missing == self._of_others:
                return f"The features kept {which} are another model's, or older: press Compute."
            return f"The features {which} are not computed yet: press Compute."
        return ""

    def warning(self) -> str:
        """Say why what there is should not be believed; empty when nothing speaks against it."""
        return self._warning if self.loaded else ""

    def look(self) -> None:
        """Load in the background what is computed; `changed` and `missing` tell what there is."""
        study, model = self._session.study, self.model
        if model is None or not model.is_file():
            model = self.model = newest_model(study.runs_folder) if study is not None else None
        self._wanted += 1
        number, cases, level = self._wanted, self.cases(), self.level
        if study is None or model is None or not cases:
            self.loaded, self.missing = {}, cases
            self.changed.emit()
            self.state_changed.emit()
            return

        def show(found: _Found) -> None:
            if number == self._wanted:
                self.loaded = {case: one for case, one in found.embeddings.items() if one is not None}
                self._remember(model, level)
                self.missing = tuple(case for case, one in found.embeddings.items() if one is None)
                self._of_others = found.of_others
                self._warning = UNTRAINED if found.is_untrained else ""
                self.is_outdated = False
                self.changed.emit()
                self.state_changed.emit()

        self._background.run(lambda: _load(study, model, cases, level), show, self._on_error)

    def _remember(self, model: Path, level: Level) -> None:
        """Keep what newer features of the same model take the place of."""
        of, latest = self._latest
        if of != (model, level):
            self._latest, self.former = ((model, level), dict(self.loaded)), {}
            return
        for case, one in self.loaded.items():
            known = latest.get(case)
            if known is not None and known.source != one.source:
                self.former[case] = known
            latest[case] = one

    def get(self, case: str, level: Level, done: Callable[[CaseEmbeddings | None], None]) -> None:
        """Load one case at one level in the background and hand it to `done`; None where it is not computed."""
        study, model = self._session.study, self.model
        if study is None or model is None:
            return

        def load() -> CaseEmbeddings | None:
            found = _load(study, model, (case,), level).embeddings.get(case)
            if found is not None:
                _ = found.norms_from_middle  # kept by it: computed here, not under the mouse
            return found

        self._background.run(load, done, self._on_error)

    def compute(self) -> None:
        """Compute what is missing, of the newest content of the model file, in a child process."""
        study, model = self._session.study, self.model
        cases = self.cases() if self.is_outdated else self.missing
        if study is None or model is None or not cases:
            return
        self._problem = ""
        chosen = [part for case in cases for part in ("--case", case)]
        where = ["embed", "--study", str(study.folder), *chosen, "--cache", "--json", "--", str(model)]
        self.job.start("Computing features", where, cases=len(cases))

    def close(self) -> None:
        """Nothing of it runs afterwards."""
        self.job.cancel()
        self._background.close()

    def _on_failed(self, sentence: str, hint: str, details: str) -> None:
        """Say it, and look at what was computed before it failed."""
        self._problem = f"{sentence} {hint}".strip()
        self.failed.emit(sentence, hint, details)
        self.look()

    def _on_computed(self) -> None:
        self.look()
        if self._again:
            self._again = False
            self.compute_newer()

    def compute_newer(self) -> None:
        """The model file has new content: compute again, after what is under way."""
        if self.job.is_active:
            self._again = True
        else:
            self.is_outdated = True
            self.compute()

    def _on_run_event(self, event: object) -> None:
        """A run has saved its model: follow it, or offer to."""
        if not isinstance(event, CheckpointSaved | RunDone):
            return
        saved = Path(event.model)
        if self.model is None or (self.follows and self.model != saved):
            self.choose(model=saved)
        if self.model != saved:
            self.state_changed.emit()  # there is one more to choose
        elif self.follows and self.loaded:
            self.compute_newer()
        else:
            self.is_outdated = bool(self.loaded)
            self.state_changed.emit()

    def _on_case_opened(self, _case: str) -> None:
        if self.scope == "view":
            self._problem = ""
            self.look()

    def _on_study_changed(self) -> None:
        study = self._session.study
        if self.model is not None and (study is None or not self.model.is_relative_to(study.folder)):
            self.job.cancel()
            self.model, self.loaded = None, {}
        self.look()

    def _on_error(self, error: Exception) -> None:
        self.failed.emit(str(error), "", repr(error))


def _load(study: Study, model: Path, cases: tuple[str, ...], level: Level) -> _Found:
    known = {case.id for case in study.cases}
    found = {case: load_embeddings(study, model, case, level) for case in cases if case in known}
    others = tuple(case for case, one in found.items() if one is None and is_of_another_model(study, model, case))
    return _Found(found, others, is_untrained(model.parent))


def _saved_at(model: Path) -> float:
    try:
        return model.stat().st_mtime
    except OSError:  # deleted meanwhile
        return 0.0
