"""How long the server of an experiment with people takes to store an answer, with many participants at once.

    python benchmarks/people_server.py --sessions 200 --answers 20 --seconds 3

An experiment is built from a few metamers, and served by ``tfmetamers people serve`` in a process of its own. Sessions
begin within one interval; each sends an answer, waits for the receipt, and sends the next about so many seconds later.
Printed are the times from an answer to its receipt, and whether the database has every answer once.
"""

import http.client
import json
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from pathlib import Path

import click
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.people.making import TEXTS, write_metamers, write_page
from tfmetamers.people.build_record import Design
from tfmetamers.people.database import database_path, read_rows
from tfmetamers.people.site import build_site

PORT = 8765


@click.command()
@click.option("--sessions", default=200, show_default=True, help="Participants at once.")
@click.option("--answers", default=20, show_default=True, help="Answers of each.")
@click.option("--seconds", default=3.0, show_default=True, help="About how long each takes for an answer.")
def main(sessions, answers, seconds):
    """Measure, and print."""
    with tempfile.TemporaryDirectory() as work:
        metamers = write_metamers(Path(work, "metamers"), 24)
        out = Path(work, "out")
        build = build_site(
            metamers,
            out,
            Design("images", "feather2019", trials=3, practice=2),
            TEXTS,
            page=write_page(Path(work, "page")),
        )
        command = [sys.executable, "-m", "tfmetamers", "people", "serve", str(out), "--port", str(PORT), "--quiet"]
        server = subprocess.Popen(command)
        try:
            wait_for_server()
            latencies = run(build.experiment, sessions, answers, seconds)
        finally:
            server.terminate()
            server.wait()
        rows = read_rows(database_path(out), build.experiment)
    stored = {(row.session, row.seq) for row in rows}
    low, middle, high, highest = np.quantile(latencies, [0.05, 0.5, 0.95, 1]) * 1000
    click.echo(
        f"{sessions} sessions, {len(latencies)} answers: {middle:.1f} ms in the median, {low:.1f} to {high:.1f} ms for "
        f"nine in ten, {highest:.1f} ms at most"
    )
    click.echo(f"{len(stored)} of {sessions * answers} answers are stored, {len(rows) - len(stored)} of them twice")


def run(experiment: str, sessions: int, answers: int, seconds: float) -> list[float]:
    """Have all sessions answer, and return seconds from each answer to its receipt."""
    latencies: list[float] = []
    threads = [
        threading.Thread(target=take_part, args=(experiment, number, answers, seconds, latencies))
        for number in range(sessions)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return latencies


def take_part(experiment: str, number: int, answers: int, seconds: float, latencies: list[float]) -> None:
    """Begin a session, and send its answers."""
    generator = np.random.default_rng(number)
    time.sleep(generator.uniform(0, seconds))
    session = str(uuid.UUID(bytes=generator.bytes(16), version=4))
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
    begun = post(connection, "", {"session": session, "experiment": experiment})
    for seq in range(answers):
        row = {"session": session, "seq": seq, "experiment": experiment, "list": begun["list"], "kind": "main",
               "trial": seq, "response": "dog", "rt": 812.4, "onsets_ms": [0, 500, 800, 1100]}  # fmt: skip
        before = time.perf_counter()
        post(connection, f"/{session}/rows", {"rows": [row]}, begun["token"])
        latencies.append(time.perf_counter() - before)
        time.sleep(seconds * generator.uniform(0.7, 1.3))
    post(connection, f"/{session}/finish", {}, begun["token"])


def post(connection, path: str, body, token: str | None = None):
    """Send JSON as the page does, and return the JSON of the answer."""
    headers = {"Content-Type": "application/json", "X-Tfmetamers": "1"}
    headers |= {"Authorization": f"Bearer {token}"} if token else {}
    connection.request("POST", f"/api/v1/sessions{path}", json.dumps(body), headers)
    answer = connection.getresponse()
    content = json.loads(answer.read())
    if answer.status >= 300:
        raise RuntimeError(content)
    return content


def wait_for_server() -> None:
    """Wait until the server answers."""
    for _ in range(600):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=5)
            connection.request("GET", "/api/v1/health")
            connection.getresponse().read()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the server did not begin")


if __name__ == "__main__":
    main()
