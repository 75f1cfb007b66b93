"""Ctrl-C, deferred while TensorFlow cannot handle it."""

import contextlib
import signal
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def defer_sigint() -> Iterator[None]:
    """Defer Ctrl-C until the block has ended; also a decorator.

    While TensorFlow traces a function, its C++ code reads attributes of tensors that are Python properties and does not
    check whether that raised: a KeyboardInterrupt there crashes the interpreter, becomes a TypeError or is lost.
    """
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler) or threading.current_thread() is not threading.main_thread():
        yield  # Without a Python handler, or in a thread that never runs it, nothing is raised here.
        return
    held = []
    signal.signal(signal.SIGINT, lambda *_: held.append(True))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if held:
            signal.raise_signal(signal.SIGINT)


@contextlib.contextmanager
def noticed_sigint() -> Iterator[list[bool]]:
    """Yield a list that Ctrl-C, which raises KeyboardInterrupt as ever, adds to while the block runs.

    What raises it inside an import or inside code that is not Python's may become another error, or none.
    """
    noticed: list[bool] = []

    def interrupt(*_) -> None:
        noticed.append(True)
        raise KeyboardInterrupt

    # A shell has its background jobs ignore it.
    is_usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not is_usual or threading.current_thread() is not threading.main_thread():
        yield noticed
        return
    signal.signal(signal.SIGINT, interrupt)
    try:
        yield noticed
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
