import pytest
import torch

from cvrl_napari.config import ConsistencyConfig
from cvrl_napari.data.batch import Batch
from cvrl_napari.losses.supervised import IGNORE
from cvrl_napari.methods.paste import Pasted
from cvrl_napari.methods.views import consistency_term, look
from cvrl_napari.nets.output import NetOutput


class Recorder(torch.nn.Module):
    """Keeps what it was shown."""

    def forward(self, images):
        self.seen = images
        return NetOutput(images.repeat(1, 2, 1, 1, 1), images, images)


@pytest.mark.parametrize("noise", [False, True])
@pytest.mark.parametrize("paste", [False, True])
def test_who_sees_what(paste, noise):
    torch.manual_seed(0)
    strong, weak = torch.zeros(3, 1, 8, 8, 8), torch.ones(3, 1, 8, 8, 8)
    strong[0] = 5
    batch = Batch(strong, weak, torch.zeros(1, 8, 8, 8, dtype=torch.uint8))
    student, teacher = Recorder(), Recorder()
    views = look(student, teacher, batch, ConsistencyConfig(paste=paste, noise=noise))
    assert torch.equal(student.seen[:1], strong[:1])
    assert set(student.seen[1:].unique().tolist()) == ({0, 5} if paste else {0})
    assert len(teacher.seen) == 2  # the unlabeled ones
    change = teacher.seen - 1
    if noise:
        assert 0.09 < change.std() < 0.11
        assert change.abs().max() <= 0.2 + 1e-6
    else:
        assert torch.equal(change, torch.zeros_like(change))
    assert (views.pasted is not None) == paste


def output(logits):
    logits = torch.tensor(logits).view(1, 2, 1, 1, -1)
    return NetOutput(logits, logits, logits)


def test_the_target_is_the_teacher_outside_the_labels_inside_and_nothing_where_these_are_not_known():
    odds = torch.log(torch.tensor(3.0)).item()  # p = (3/4, 1/4)
    teacher = output([[odds] * 4, [0.0] * 4])
    student = output([[0.0] * 4, [0.0] * 4])  # p = (1/2, 1/2)
    labels = torch.tensor([IGNORE, 0, 1, IGNORE], dtype=torch.uint8).view(1, 1, 1, 4)
    inside = torch.tensor([False, True, True, True]).view(1, 1, 1, 4)
    pasted = Pasted(torch.zeros(1, 1, 1, 1, 4), inside, labels)
    plain = ConsistencyConfig(sharpen=False)
    assert consistency_term(student, teacher, None, plain).item() == pytest.approx(1 / 16)
    assert consistency_term(student, teacher, None, ConsistencyConfig(sharpen=True)).item() == pytest.approx(0.16)
    # outside 1/16, known inside 1/4 twice, the unknown one takes no part
    assert consistency_term(student, teacher, pasted, plain).item() == pytest.approx((1 / 16 + 1 / 4 + 1 / 4) / 3)
