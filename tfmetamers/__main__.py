"""``python -m tfmetamers``: the command line."""

from tfmetamers.cli import start

start()
