"""The heartbeat of a worker: a thread that rewrites its claim, and notices when that is no longer its own."""

import contextlib
import threading
import time
from types import TracebackType

from tfmetamers.experiments.claims import SECONDS_A_BEAT, SECONDS_UNTIL_STALE, Claim, ClaimLost


class Heartbeat:
    """Keeps a claim alive within a ``with`` block."""

    def __init__(self, claim: Claim):
        self._claim = claim
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._lost: ClaimLost | None = None
        self._beaten = time.monotonic()
        self._begun: tuple[int, float] | None = None
        self._progress: dict[str, float] = {}
        self._thread = threading.Thread(target=self._beat_on, name="heartbeat", daemon=True)

    def __enter__(self) -> "Heartbeat":
        self._thread.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._ended.set()
        self._thread.join()

    def report(self, step: int, steps: int) -> None:
        """Say how far the work is; the next beat writes that down, and the speed since the first call.

        Raises:
            ClaimLost: another worker has taken it over.
        """
        self.check()
        now = time.monotonic()
        first, began = self._begun = self._begun or (step, now)
        rate = (step - first) / (now - began) if now > began else 0.0
        self._progress = {"step": step, "steps": steps, "steps_a_second": rate}

    def check(self) -> None:
        """Make sure that the work is still this worker's.

        Raises:
            ClaimLost: another worker has taken it over.
        """
        if time.monotonic() - self._beaten > SECONDS_UNTIL_STALE / 2:  # As after the machine has slept.
            self._beat()
        if self._lost is not None:
            raise self._lost

    def _beat_on(self) -> None:
        while not self._ended.wait(SECONDS_A_BEAT) and self._lost is None:
            self._beat()

    def _beat(self) -> None:
        with self._lock:
            try:
                self._claim.write(**self._progress)
                self._beaten = time.monotonic()
            except ClaimLost as error:
                self._lost = error
            except OSError as error:
                if time.monotonic() - self._beaten > SECONDS_UNTIL_STALE:
                    self._lost = ClaimLost(f"The heartbeat cannot be written: {error.strerror or error}.")


@contextlib.contextmanager
def kept_alive(claim: Claim):
    """Yield the heartbeat of a claim; give the claim back where the block is stopped from outside."""
    try:
        with Heartbeat(claim) as heartbeat:
            yield heartbeat
    except (KeyboardInterrupt, SystemExit):
        with contextlib.suppress(ClaimLost, OSError):
            claim.stop()
        raise
