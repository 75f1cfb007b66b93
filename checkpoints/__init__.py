"""The published checkpoints of the paper's networks: where they are, how to get them, whether they fit.

The modules, in the order in which a checkpoint passes through them:

- ``catalog`` reads ``catalog.toml``: every published file, and what it must contain.
- ``fetch`` gets an entry of the catalogue into the cache folder, with ``download`` (one file over HTTP,
  resumed where it stopped), ``unpack`` (an archive, whole or not at all) and ``download_hashes`` (the hashes
  of first downloads).
- ``layout`` finds the files that make up a checkpoint, and recognises files that are often mistaken for one.
- ``reader`` reads the variables of a checkpoint in TensorFlow's formats V1 and V2.
- ``comparison`` compares the variables of a checkpoint with those of a network.
- ``verify`` checks a checkpoint: readable, complete, finite, and right about a probe stimulus.

Only ``reader`` needs TensorFlow, and only once it opens a file.
"""
