"""Every door by which a file comes in, with valid files that were damaged: ``python -m tests.fuzz --help``."""
