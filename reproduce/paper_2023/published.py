"""What the paper did in experiments like those that are made here (sections Methods; Supplementary Table 5)."""

from tfmetamers.reproduce.differences import Published

EXPERIMENTS = {
    "targeted_sounds": Published(
        (
            "cochcnn9",
            "cochcnn9_l2_1_random_waveform",
            "cochcnn9_l2_1_waveform",
            "cochcnn9_l2_1_cochleagram",
        ),
        400,
        "words of the Wall Street Journal corpus",
        pairs=1_000_000,
    ),
}
