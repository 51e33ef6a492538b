"""How the end of a child is put into words."""

import pytest

from cvrl_napari.gui.child import Child, words_for_exit


@pytest.mark.parametrize(
    ("code", "tail", "words"),
    [
        (-9, "", "the system ran out of memory, or something else killed it (signal 9)"),
        (1, "torch.OutOfMemoryError: CUDA out of memory. Tried", "the graphics card ran out of memory"),
        (1, "Traceback\nMemoryError", "the system ran out of memory"),
        (1, "OSError: [Errno 28] No space left on device", "the disk is full"),
        (-11, "", "it crashed (Segmentation fault, signal 11)"),
        (1, "Traceback\nValueError: odd\n\n", "ValueError: odd (exit code 1)"),
        (3, "", "it ended without a word (exit code 3)"),
    ],
)
def test_words_for_exit(code: int, tail: str, words: str):
    assert words_for_exit(code, tail) == words


def test_a_child_speaks_listens_and_leaves_its_last_words():
    child = Child(["no-such-verb"])
    child.send("sent before the start")
    child.start()
    assert list(child.lines()) == []
    assert child.finish(patience_s=30) == 2
    assert "no-such-verb" in child.tail()
    child.send("sent after the end")  # goes nowhere, hurts nobody
    child.kill()
