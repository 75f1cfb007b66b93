from .cochleagram import FrontEnd as FrontEnd
from .cochleagram import build_front_end as build_front_end
from .filters import FilterBank as FilterBank
from .filters import erb_filter_bank as erb_filter_bank
from .settings import CochleagramSettings as CochleagramSettings
from .settings import find_cochleagram_settings as find_cochleagram_settings
