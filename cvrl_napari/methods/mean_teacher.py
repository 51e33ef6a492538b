"""Mean teacher: agree with a momentum teacher on unlabeled patches (Tarvainen and Valpola, 2017)."""

from torch import Tensor

from cvrl_napari.config import Plan
from cvrl_napari.data.batch import Batch
from cvrl_napari.methods.method import Method
from cvrl_napari.methods.views import common_terms, look
from cvrl_napari.nets.momentum import make_teacher, teacher_momentum, update_teacher


class MeanTeacher(Method):
    """CVRL without the contrast: same views, same teacher, same consistency."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self.teacher = make_teacher(self.student)
        self.weights = {"consistency": plan.consistency.weight}

    def terms(self, batch: Batch, *, unsupervised: bool) -> dict[str, Tensor]:
        """Return the supervised and the consistency term."""
        if not unsupervised:
            return self.supervised_terms(batch)
        views = look(self.student, self.teacher, batch, self.plan.consistency)
        return common_terms(views, batch, self.plan.consistency)

    def after_step(self, step: int) -> None:
        """Move the teacher."""
        update_teacher(self.teacher, self.student, teacher_momentum(step, self.plan.momentum))
