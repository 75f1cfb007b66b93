"""What manifests, and the files that they are made from, can be; the command line imports it to show its help."""

#: The parts of a corpus: what a network is trained on, what decides when to stop, and what tests it in the end.
SPLITS = ("train", "validation", "test")

#: The formats of word alignments, and the endings of their files.
FORMATS = {"csv": ".csv", "textgrid": ".textgrid", "ctm": ".ctm"}

#: How clips can be divided into splits.
SPLIT_BY = ("clip", "speaker")
