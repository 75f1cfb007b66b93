from .corpora import check_recordings as check_recordings
from .corpora import read_backgrounds as read_backgrounds
from .corpora import read_words as read_words
from .evaluation import evaluate_trained as evaluate_trained
from .run import train as train
from .settings import MixtureSettings as MixtureSettings
from .settings import PerturbationSettings as PerturbationSettings
from .settings import TrainingSettings as TrainingSettings
