"""How convolutions can be computed; without TensorFlow, for what only names it."""

#: ``quick`` computes steps quicker with transformed copies of the kernels; ``small`` keeps one copy of each.
KERNELS = ("quick", "small")
