"""Every figure, table and section of the papers as a command: ``tfmetamers reproduce``."""
