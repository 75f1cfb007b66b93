from .collection import collect as collect
from .experiment import Experiment as Experiment
from .status import survey as survey
from .work import Worker as Worker
