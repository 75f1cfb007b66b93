from .designs import MixedDesign as MixedDesign
from .designs import RepeatedMeasures as RepeatedMeasures
from .effects import CORRECTIONS as CORRECTIONS
from .effects import Effect as Effect
from .permutation import PermutationTest as PermutationTest
from .tables import arrange as arrange
from .tables import arrange_groups as arrange_groups
