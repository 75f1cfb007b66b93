"""Read many damaged files at every door, and count what came of it.

Cases run in workers that import once, so that an abort costs one worker and not the run:

    python -m tests.fuzz --cases 10000 --workers 2 --output fuzz.json
    python -m tests.fuzz --only "checkpoint V1" --case 17     # again, in this process, with its traceback
"""

import argparse
import collections
import json
import os
import select
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

#: A case takes at most so many seconds.
TIMEOUT = 120


def main() -> int:
    """Run what the arguments ask for, and return 1 where a case was at fault."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", default="0")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", help="the name of one door, or the beginning of several")
    parser.add_argument("--case", type=int, help="one case of that door, in this process")
    parser.add_argument("--output", type=Path, help="a JSON file of counts and faults")
    parser.add_argument("--work", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--valid", type=Path, help="a folder of valid files, which is made where it is missing")
    arguments = parser.parse_args()
    if arguments.work:
        return _work(Path(arguments.work[0]), arguments.work[1])
    if arguments.make:
        from tests.fuzz.cases import make_valid

        make_valid(arguments.make)
        return 0
    with tempfile.TemporaryDirectory() as temporary:
        valid = (arguments.valid or Path(temporary) / "valid").absolute()
        if not valid.exists():
            subprocess.run([sys.executable, "-m", "tests.fuzz", "--make", str(valid)], check=True)
        if arguments.case is not None:
            return _one(valid, arguments)
        return _many(valid, arguments)


def _one(valid: Path, arguments) -> int:
    from tests.fuzz.cases import Watch, run_case

    outcome = run_case(valid, arguments.only, f"{arguments.seed}/{arguments.case}", Watch())
    print(outcome.kind, outcome.detail)
    return 0


def _work(valid: Path, seed: str) -> int:
    """Run the cases whose door and number come in, a line each, and answer with a line each."""
    answers = os.fdopen(os.dup(1), "w")  # Libraries may print to the other.
    os.dup2(2, 1)
    from tests.fuzz.cases import Watch, run_case

    watch = Watch()
    for line in sys.stdin:
        name, number = json.loads(line)
        outcome = run_case(valid, name, f"{seed}/{number}", watch)
        print(json.dumps([outcome.kind, outcome.detail[-3000:]]), file=answers, flush=True)
    return 0


class _Worker:
    """A process that runs cases."""

    def __init__(self, valid: Path, seed: str):
        self._command = [sys.executable, "-m", "tests.fuzz", "--work", str(valid), seed]
        self._process = None

    def run(self, name: str, number: int) -> tuple[str, str]:
        """Return the kind and the detail of an outcome."""
        if self._process is None:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
            threading.Thread(target=self._drain, args=[self._process.stderr], daemon=True).start()
        self._process.stdin.write(json.dumps([name, number]).encode() + b"\n")
        self._process.stdin.flush()
        ready, _, _ = select.select([self._process.stdout], [], [], TIMEOUT)
        answer = self._process.stdout.readline() if ready else b""
        if answer:
            return tuple(json.loads(answer))
        process, self._process = self._process, None
        if not ready:
            process.kill()
            process.wait()
            return "hang", f"more than {TIMEOUT} s"
        process.wait()
        return "abort", f"status {process.returncode}: {self._last}"

    def _drain(self, stream) -> None:
        self._last = ""
        for line in stream:
            self._last = (self._last + line.decode(errors="replace"))[-1500:]


def _many(valid: Path, arguments) -> int:
    from tests.fuzz.doors import DOORS

    doors = {name: door for name, door in DOORS.items() if not arguments.only or name.startswith(arguments.only)}
    share = arguments.cases / sum(door.weight for door in doors.values())
    waiting = [(name, number) for name, door in doors.items() for number in range(max(1, round(share * door.weight)))]
    waiting.reverse()
    found, lock = [], threading.Lock()

    def work() -> None:
        worker = _Worker(valid, arguments.seed)
        while True:
            with lock:
                if not waiting:
                    return
                name, number = waiting.pop()
            outcome = worker.run(name, number)
            with lock:
                found.append((name, number, *outcome))
                if len(found) % 200 == 0:
                    print(f"{len(found)} cases, {len(waiting)} to come", file=sys.stderr, flush=True)

    threads = [threading.Thread(target=work) for _ in range(arguments.workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return _report(found, arguments.output)


def _report(found: list, output: Path | None) -> int:
    counts: dict[str, collections.Counter] = {}
    for name, _, kind, _ in found:
        counts.setdefault(name, collections.Counter())[kind] += 1
    total = sum(counts.values(), collections.Counter())
    kinds = ["accepted", "refused", "spared", *sorted(set(total) - {"accepted", "refused", "spared"})]
    width = max(map(len, counts))
    print(f"{'door':{width}}  cases  " + "  ".join(kinds))
    for name, each in [*counts.items(), ("all", total)]:
        print(f"{name:{width}}  {sum(each.values()):5}  " + "  ".join(f"{each[kind]:{len(kind)}}" for kind in kinds))
    faults = [each for each in found if each[2] not in ("accepted", "refused", "spared")]
    spared = [each for each in found if each[2] == "spared"]
    if output:
        content = {"counts": counts, "faults": faults, "spared": spared[:200]}
        output.write_text(json.dumps(content, indent=1))
    for name, number, kind, detail in faults[:20]:
        print(f"\n{kind}: --only {name!r} --case {number}\n{detail}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
