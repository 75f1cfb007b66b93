"""Section 3.2 with Tables S2 and S3: the architectures, the cochleagram's filters, and what each pooling aliases."""

import pandas

from tfmetamers.cochlea.settings import CochleagramSettings
from tfmetamers.networks.auditory.word_cnn import find_architecture
from tfmetamers.plotting.style import COLOURS
from tfmetamers.published import find_published
from tfmetamers.reproduce.drawing import COLUMN, new_figure, styled
from tfmetamers.reproduce.paper_2019.aliasing import measure_layers
from tfmetamers.reproduce.reproduction import Reproduction, Setting
from tfmetamers.reproduce.statistics import FOUND, NOT_FOUND, Finding

#: The two architectures, and their colours.
ARCHITECTURES = {"word_aliased": COLOURS["vermilion"], "word_reduced_aliasing": COLOURS["blue"]}

_SETTING = Setting(
    "nothing more",
    "1 minute",
    differences=(
        "Tables S2 and S3 are not in the released code: the sizes of kernels and the numbers of filters are those of "
        "the group's closest published network (CochCNN9, 2023). Strides agree with the released code.",
        "Kernels are random, since aliasing of a strided convolution depends on its kernel.",
    ),
)


class Section32(Reproduction):
    """The two architectures of the sound networks, and how much each step aliases."""

    name = "section-3.2"
    section = "3.2"
    title = "Architectures of the sound networks, and how much each step that drops samples aliases"
    claim = "pooling with a Hann window in place of maxima and strides reduces aliasing."
    caption = (
        "Share of the output's variance that comes from frequencies which the output cannot represent, for inputs of "
        "equal variance below and above that limit."
    )
    sources = "Published: section 3.2 of the paper, as printed."
    quick = _SETTING
    full = _SETTING

    def tabulate(self, results):
        rows = []
        for name in ARCHITECTURES:
            architecture = find_architecture(name)
            for each in measure_layers(architecture):
                arguments = each.layer.args
                rows.append(
                    {
                        "network": name,
                        "layer": each.layer.name,
                        "type": each.layer.layer_type,
                        "size": _size(arguments.get("kernel_size", arguments.get("pool_size"))),
                        "strides": "" if each.strides == (1, 1) else _size(each.strides),
                        "filters": arguments.get("filters", arguments.get("units")),
                        "output": _size(each.shape),
                        "aliased": each.aliased,
                    }
                )
        return pandas.DataFrame(rows).astype({"filters": "Int64"})

    @styled
    def draw(self, table, results):
        figure = new_figure(COLUMN * 1.3, 2.6)
        axes = figure.subplots()
        measured = table[table["aliased"].notna()]
        kinds = measured["type"].str.rsplit(".").str[-1]
        colours = [ARCHITECTURES[network] for network in measured["network"]]
        axes.barh(range(len(measured)), measured["aliased"], color=colours)
        axes.set_yticks(range(len(measured)), measured["layer"] + " (" + kinds + ")")
        axes.invert_yaxis()
        axes.set(xlabel="aliased share of the variance", xlim=(0, 1))
        for name, colour in ARCHITECTURES.items():
            axes.barh([0], [0], color=colour, label=name)
        axes.legend(loc="lower right")
        return figure

    def compare(self, table):
        published = find_published("front_end_2019").read()
        ours = {"filters": CochleagramSettings().channels}
        return published.assign(
            ours=published["quantity"].map(ours), difference=published["quantity"].map(ours) - published["published"]
        )

    def judge(self, table, results):
        shares = {name: table[table["network"] == name]["aliased"].dropna() for name in ARCHITECTURES}
        aliased, reduced = shares.values()
        is_less = reduced.max() < aliased.min()
        return [
            Finding(
                FOUND if is_less else NOT_FOUND,
                f"Every step with a Hann window aliases less (at most {reduced.max():.3f}) than every strided "
                f"convolution and maximum (at least {aliased.min():.3f}).",
            )
        ]


def _size(size) -> str:
    if size is None:
        return ""
    return str(size) if isinstance(size, int) else " x ".join(map(str, size))
