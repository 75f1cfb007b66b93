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
    "targeted_pictures": Published(
        ("resnet50", "resnet50_random_l2_perturb", "resnet50_l2_3_robust"),
        400,
        "25 of each of 16 categories of ImageNet's validation set",
        pairs=1_000_000,
    ),
}
