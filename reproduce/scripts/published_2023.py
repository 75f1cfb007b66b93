"""What participants of the 2023 paper recognised: the tables of its release as one table without MATLAB.

    python reproduce/scripts/published_2023.py --release model_metamers_pytorch --output tfmetamers/published

The release is github jenellefeather/model_metamers_pytorch at commit f89cdad (MIT). It has a file for each network of
each experiment, with the proportions correct of each participant, and of the network itself on what that participant
was shown. The same files give the same bytes.
"""

import gzip
import io
import re
from pathlib import Path

import click
import numpy as np
import pandas as pd
import scipy.io

from tfmetamers.utilities.files import atomic_write

#: The files, and what their names say.
NAME = re.compile(r"(Audio|Vision)Experiment(\d+)_network_vs_humans_datamatrix_(.+)_public\.mat")

#: How many files there are.
FILES = 59


@click.command()
@click.option("--release", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--output", type=click.Path(path_type=Path), required=True, help="The folder of published tables.")
def main(release, output):
    """Write recognition_2023.csv.gz."""
    found = {NAME.fullmatch(path.name): path for path in release.rglob("*_public.mat")}
    if len(found) != FILES:
        raise click.ClickException(f"{release} has {len(found)} tables of participants; the release has {FILES}.")
    order = sorted(found, key=lambda match: (match[1], int(match[2]), match[3]))
    table = pd.concat([read_participants(found[match], match) for match in order], ignore_index=True)
    text = io.StringIO()
    table.to_csv(text, index=False, lineterminator="\n")
    with atomic_write(output / "recognition_2023.csv.gz") as partial:
        partial.write_bytes(gzip.compress(text.getvalue().encode(), mtime=0))
    print(f"{len(table):,} rows of {table['model'].nunique()} models")


def read_participants(path: Path, match: re.Match) -> pd.DataFrame:
    """Return a row for each stage and participant of a file."""
    content = scipy.io.loadmat(path)
    stages = [str(name).strip() for name in np.ravel(content["model_layers"])]
    stages[0] = stages[0].removesuffix("_audio").removesuffix("_image")  # Natural stimuli.
    conditions = [str(name).strip() for name in np.ravel(content["conditions"])]
    matrix = content["participant_data_matrix"]
    participants = np.arange(1, len(matrix) + 1)
    return pd.DataFrame(
        {
            "domain": match[1].lower(),
            "experiment": int(match[2]),
            "model": match[3],
            "stage": np.repeat(stages, len(participants)),
            "participant": np.tile(participants, len(stages)),
            "people": matrix[:, :, conditions.index("Human")].T.ravel(),
            "network_itself": matrix[:, :, conditions.index("Network")].T.ravel(),
        }
    )


if __name__ == "__main__":
    main()
