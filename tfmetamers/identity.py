"""What tells one network from another."""

#: The fields of `tfmetamers.networks.network.Network.describe` in which the same network agrees: its name, its
#: stimulus, its weights, what a Keras model takes for black and white, and an auditory network's layers.
NETWORK_IDENTITY = ("name", "stimulus_shape", "digest", "input_range", "architecture")
