"""Tables S1.2, S4 and S5: how many metamers passed the inclusion test, and why the others did not."""

import pandas

from tfmetamers.reproduce.reproduction import Reproduction, Setting
from tfmetamers.reproduce.statistics import CANNOT_BE_TOLD, FEWEST, FOUND, NOT_FOUND, Finding


class TableOfPassed(Reproduction):
    """How many metamers passed, by network and layer."""

    section = "3.1"
    claim = "most metamers pass the inclusion test; the others are left out."

    def __init__(self, name: str, kind: str, experiments: tuple[str, ...], stimuli: str, quick: Setting, full: Setting):
        self.name, self.title = name, f"How many metamers of {kind} networks passed the inclusion test"
        self.experiments, self.stimuli, self.quick, self.full = experiments, stimuli, quick, full

    def tabulate(self, results):
        metamers = pandas.concat([results[name].metamers for name in self.experiments], ignore_index=True)
        rows = []
        for (network, layer), own in metamers.groupby(["network", "layer"], sort=False):
            included = own["included"].astype("boolean")
            same_label = own["same_label"].astype("boolean")
            below = own["correlation"].astype(float) <= own["null_maximum"].astype(float)
            rows.append(
                {
                    "network": network,
                    "layer": layer,
                    "made": len(own),
                    "passed": int(included.fillna(False).sum()),
                    "other_label": int((~same_label).fillna(False).sum()),
                    "not_above_null": int(below.sum()),
                    "undefined": int(own["correlation"].isna().sum()),
                    "not_judged": int(included.isna().sum()),
                    "median_correlation": own["correlation"].astype(float).median(),
                    "null_maximum": own["null_maximum"].astype(float).max(),
                }
            )
        return pandas.DataFrame(rows)

    def draw(self, table, results):
        return None

    def judge(self, table, results):
        passed, made = int(table["passed"].sum()), int(table["made"].sum())
        judged = int(table[table["null_maximum"].notna()]["made"].sum())
        verdict = CANNOT_BE_TOLD if judged < FEWEST else FOUND if passed > judged / 2 else NOT_FOUND
        return [
            Finding(
                verdict,
                f"{passed} of {made} metamers passed; {int(table['other_label'].sum())} have another label, "
                f"{int(table['not_above_null'].sum())} are not above the null distribution, "
                f"{made - judged} have no null distribution to be above.",
            )
        ]
