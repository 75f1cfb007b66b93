"""What the paper did in the experiments that its figures share (sections 3.1, 3.4, 3.5; Tables S1.2 and S4)."""

from tfmetamers.reproduce.differences import Published

#: Pairs of the null distributions (section 3.1).
PAIRS = 1_000_000

#: The 295 words.
_WORDS = {"stimuli": 295, "described": "words from the Wall Street Journal corpus", "pairs": PAIRS}

EXPERIMENTS = {
    "aliased": Published(("word_aliased",), **_WORDS),
    "sounds": Published(
        (
            "word_reduced_aliasing",
            "word_reduced_aliasing_seed_1",
            "word_and_category_reduced_aliasing",
            "category_reduced_aliasing",
            "word_reduced_aliasing:random:0",
        ),
        **_WORDS,
    ),
    "speech": Published(("vggish", "deepspeech"), 1, "a word", pairs=0),
    "notebook": Published(("vgg_19",), 1, "a photograph", pairs=0),
    "pictures": Published(
        ("vgg_19", "inception_v3", "resnet_v2_101"),
        576,
        "36 of each of 16 categories of ImageNet's training set",
        PAIRS,
    ),
    "gradients": Published(("deepspeech", "word_aliased"), 20, "sounds", pairs=0),
    "cochleagram": Published(("word_reduced_aliasing",), **_WORDS),
}
