from .decisions import recognize as recognize
from .summary import summarize_recognition as summarize_recognition
from .truth import read_truth as read_truth
