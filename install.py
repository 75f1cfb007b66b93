"""Makes an environment and installs into it, for the Makefile; needs nothing but Python 3, of any version.

    python3 install.py .venv/installed --requirement requirements.txt --editable .

The first argument is a file that stands for what was installed; the folder that holds it is the environment. The others
are those of `pip install`. A second process that is given the same environment waits for the first.
"""

import os
import re
import subprocess
import sys
import time

OLDEST, NEWEST = (3, 10), (3, 13)

#: What pip says, and what it means to whoever reads it.
REASONS = [
    ("No space left on device", "the disk is full. An environment takes about 3 GB: free some, and run make again."),
    (
        "Failed to establish a new connection|Temporary failure in name resolution|Name or service not known|"
        "Network is unreachable|NewConnectionError|Connection refused|ProxyError|timed out",
        "the package index cannot be reached. Connect to the network, and run make again: it goes on from there.",
    ),
]


def check_python():
    """End with one sentence on a Python that TensorFlow or tfmetamers has no release for."""
    found = sys.version_info[:2]
    if not OLDEST <= found <= NEWEST:
        why = "TensorFlow has no release for it yet" if found > NEWEST else "it is too old"
        sys.exit(
            f"tfmetamers needs Python 3.10 to 3.13, and this is {found[0]}.{found[1]} ({why}): make PYTHON=python3.12"
        )


def install(stamp, arguments):
    """Install into the environment that holds a file, and touch the file."""
    from fcntl import LOCK_EX, flock  # Not on Windows, where there is no make either.

    environment = os.path.dirname(stamp)
    started = time.time()
    os.makedirs(environment, exist_ok=True)
    with open(f"{environment}/lock", "w") as lock:
        flock(lock, LOCK_EX)
        if os.path.exists(stamp) and os.path.getmtime(stamp) >= started:
            return  # By the process that was waited for.
        print(f"Installing into {environment}, which takes some minutes.", flush=True)
        if not os.path.exists(f"{environment}/bin/pip"):
            run([sys.executable, "-m", "venv", environment])
        run([f"{environment}/bin/pip", "install", "--quiet", "--retries", "2", *arguments])
        with open(stamp, "w"):
            pass


def run(command):
    """Run a command; if it fails, end with one sentence where the reason is known, else with all that it says."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        meant = [meaning for pattern, meaning in REASONS if re.search(pattern, done.stdout)]
        sys.exit(f"Not installed: {meant[0]}" if meant else done.stdout.rstrip())


if __name__ == "__main__":
    check_python()
    install(sys.argv[1], sys.argv[2:])
