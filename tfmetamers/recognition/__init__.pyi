from .categories import CATEGORIES as CATEGORIES
from .categories import category_positions as category_positions
from .categories import decide as decide
from .decisions import recognize as recognize
from .summary import summarize_recognition as summarize_recognition
from .truth import read_truth as read_truth
