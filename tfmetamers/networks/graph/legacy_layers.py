"""The one place that makes tf_slim importable beside tf-keras."""

import importlib
import sys
import warnings


def import_tf_slim():
    """Import tf_slim and return it.

    TensorFlow's ``normalization`` and ``pooling`` layers import ``tf_keras.legacy_tf_layers.*`` when they are
    first used, and recent tf-keras keeps these modules as ``tf_keras.src.legacy_tf_layers.*`` only: they
    are made known under the name that TensorFlow asks for.
    """
    actual, asked = "tf_keras.src.legacy_tf_layers", "tf_keras.legacy_tf_layers"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for module in ("", ".base", ".convolutional", ".core", ".normalization", ".pooling"):
            sys.modules.setdefault(asked + module, importlib.import_module(actual + module))
        return importlib.import_module("tf_slim")
