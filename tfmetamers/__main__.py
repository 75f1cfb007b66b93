"""``python -m tfmetamers``: the command line."""

from tfmetamers.cli.main import main

main()
