"""Figure 3c: cochleagrams of a word and of its metamers, layer by layer."""

import numpy as np

from tfmetamers.cochlea.figures import draw_cochleagram
from tfmetamers.metamers.folder import read_metamer
from tfmetamers.plotting.style import wrapped
from tfmetamers.reproduce.drawing import PAGE, new_figure, styled
from tfmetamers.reproduce.reproduction import Reproduction, Setting
from tfmetamers.reproduce.statistics import compare

#: The layer at which metamers are seen.
SEEN_AT = "cochleagram"

#: What this figure says nothing about.
NOBODY = "Nobody listened; likeness is measured as the correlation of cochleagrams."

#: The largest number of cochleagrams in a row.
MAX_COLUMNS = 5


class Figure3c(Reproduction):
    """Cochleagrams of a word and of its metamers."""

    name = "figure-3c"
    section = "4.2"
    title = "Cochleagrams of a spoken word and of a word network's metamers of it, layer by layer"
    claim = "metamers of early layers look and sound like the word; those of late layers do not."
    caption = "Cochleagrams of the first word, and of its metamers, by the layer that they were made at."
    experiments = ("aliased",)
    stimuli = "sounds"
    quick = Setting("nothing more", "2 minutes", differences=(NOBODY,))
    full = Setting("word_aliased, recordings of the 295 words", "100 days", differences=(NOBODY,))

    def tabulate(self, results):
        found = results["aliased"].correlations
        columns = ["network", "layer", "depth", "stimulus", "seed", "included", "correlation"]
        seen = found[found["compared"] == SEEN_AT]
        return seen[columns].rename(columns={"correlation": "cochleagram_correlation"}).reset_index(drop=True)

    @styled
    def draw(self, table, results):
        metamers = results["aliased"].metamers
        network, word = metamers[["network", "stimulus"]].iloc[0]
        own = metamers[(metamers["network"] == network) & (metamers["stimulus"] == word)].drop_duplicates("layer")
        made = [read_metamer(folder) for folder in own["folder"]]
        network = results["aliased"].load(network)
        front_end = network.front_end("exact")
        heard = front_end(np.stack([made[0].original, *(each.stimulus for each in made)])).numpy()
        columns = min(MAX_COLUMNS, len(heard))
        rows = -(-len(heard) // columns)
        figure = new_figure(PAGE, 1.5 * rows + 0.4)
        panels = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
        duration = network.domain.samples / network.domain.sampling_rate
        for axes, cochleagram, title in zip(panels, heard, (f'"{word}"', *own["layer"]), strict=False):
            draw_cochleagram(axes, cochleagram, front_end.center_frequencies, duration).set_clim(0, heard.max())
            axes.set_title(wrapped(title, PAGE / columns - 0.3))
            axes.label_outer()
        for axes in panels[len(heard) :]:
            axes.set_axis_off()
        return figure

    def judge(self, table, results):
        value = "cochleagram_correlation"
        early, late = (table[table["depth"] == depth] for depth in (table["depth"].min(), table["depth"].max()))
        names = [each["layer"].iloc[0] for each in (early, late)]
        return [compare(f"Metamers of {names[0]} are more like the word than those of {names[1]}", early, late, value)]
