"""The command line: arguments, messages and calls, nothing else."""

import os
import sys


def start() -> None:
    """Import the command line and run it; Ctrl-C is a sentence even while that is imported."""
    try:
        from tfmetamers.cli.main import main
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr, flush=True)
        os._exit(130)
    main()
