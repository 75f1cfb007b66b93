from .metamers import plot_losses as plot_losses
from .metamers import plot_metamer as plot_metamer
from .nulls import plot_null as plot_null
from .recognition import plot_recognition as plot_recognition
