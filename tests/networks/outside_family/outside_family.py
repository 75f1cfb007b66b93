"""A family of networks as somebody else's package would add it: two convolutions of pictures, by random weights."""

from tfmetamers.networks import NetworkFamily, NetworkOutline
from tfmetamers.stimuli.domains import Images

LABELS = ("bear", "cat", "dog", "owl")
RECIPE = "feather2019-image"


class TwoLayers(NetworkFamily):
    """Networks of 16 x 16 pixels, or another size."""

    name = "two_layers"
    takes = frozenset({"random_seed", "size"})

    def network_names(self):
        return ["two_relus", "two_tanhs"]

    def outline(self, spec):
        return NetworkOutline(spec.name, domain_of(spec), ("first", "second", "logits"), RECIPE, len(LABELS))

    def load(self, spec):
        import tensorflow as tf

        from tfmetamers.networks import Network, Provenance
        from tfmetamers.networks.families.checkpoints import weights_digest
        from tfmetamers.networks.graph.traced_graph import TracedGraph

        domain, seed = domain_of(spec), spec.random_seed or 0
        activate = tf.nn.relu if spec.name == "two_relus" else tf.tanh
        with tf.Graph().as_default():
            tf.compat.v1.set_random_seed(seed)
            stimulus = tf.compat.v1.placeholder(tf.float32, [None, *domain.shape], "stimulus")
            first = activate(tf.nn.conv2d(stimulus, weights("first", (3, 3, 3, 8)), 1, "SAME"))
            second = activate(tf.nn.conv2d(first, weights("second", (3, 3, 8, 8)), 2, "SAME"))
            logits = tf.reduce_mean(second, [1, 2]) @ weights("logits", (8, len(LABELS)))
            layers = {"first": first, "second": second, "logits": logits}
            traced = TracedGraph(stimulus, layers, logits, tf.compat.v1.global_variables())
            drawn = traced.random_weights()
        return Network(
            spec.name,
            domain=domain,
            traced=traced,
            weights={name: tf.constant(value) for name, value in drawn.items()},
            provenance=Provenance("random", weights_digest(drawn), seed=seed),
            labels=LABELS,
            recipe=RECIPE,
        )


def domain_of(spec):
    return Images(*(spec.size or (16, 16)))


def weights(name, shape):
    import tensorflow as tf

    return tf.compat.v1.get_variable(name, shape, initializer=tf.compat.v1.glorot_normal_initializer())


FAMILY = TwoLayers()
