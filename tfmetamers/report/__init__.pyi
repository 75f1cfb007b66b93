from .page import find_unreadable as find_unreadable
from .page import write_report as write_report
