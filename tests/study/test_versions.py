from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cvrl_napari.study.study import Study
from cvrl_napari.study.versions import AGES, read_version, thinned, versions

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_what_is_replaced_is_kept_and_can_be_read_again(study: Study, stroke):
    study.write_labels("scan_1", stroke)
    assert versions(study.folder, "scan_1") == ()
    later = np.where(stroke == 1, 2, stroke).astype(np.uint8)
    study.write_labels("scan_1", later)
    (version,) = versions(study.folder, "scan_1")
    scan = study.read_scan("scan_1")
    assert np.array_equal(read_version(study.folder, version, scan, 2), stroke)
    assert np.array_equal(study.read_labels("scan_1"), later)
    assert version.saved_at <= version.replaced_at <= datetime.now(UTC)


def test_erasing_everything_keeps_what_was_there(study: Study, stroke):
    study.write_labels("scan_1", stroke)
    study.write_labels("scan_1", np.zeros_like(stroke))
    (version,) = versions(study.folder, "scan_1")
    assert np.array_equal(read_version(study.folder, version, study.read_scan("scan_1"), 2), stroke)


def test_a_hundred_saves_leave_few_versions(study: Study, stroke):
    for number in range(30):
        stroke[0, 0, 0] = 1 + number % 2
        study.write_labels("scan_1", stroke)
    assert len(versions(study.folder, "scan_1")) == 1  # all of the last minute: the oldest one
    assert len(list((study.folder / "labels" / ".backups" / "scan_1").iterdir())) == 1


def test_with_saves_all_day_there_is_nearly_always_a_version_of_each_age():
    kept: set[datetime] = set()
    filled = [0] * len(AGES)
    for minute in range(3 * 24 * 60):
        now = NOW + timedelta(minutes=minute)
        kept = thinned({*kept, now - timedelta(seconds=30)}, now)
        assert len(kept) <= len(AGES)
        if minute > 2 * 24 * 60:
            for place, (low, high) in enumerate(zip(AGES, (*AGES[1:], timedelta.max), strict=True)):
                filled[place] += any(low <= now - time < high for time in kept)
    assert min(filled) > 0.8 * 24 * 60, filled


@given(st.sets(st.integers(-100_000, 100)))
def test_of_any_versions_at_most_five_are_kept_and_the_newest_old_one_is_among_them(seconds):
    times = {NOW + timedelta(seconds=one) for one in seconds}
    kept = thinned(times, NOW)
    assert kept <= times
    assert len(kept) <= 5
    assert bool(kept) == bool(times)
    yesterday = [time for time in times if NOW - time >= AGES[-1]]
    assert not yesterday or max(yesterday) in kept
