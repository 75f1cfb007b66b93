"""Downloads that break, change, lie or attack, and what is left in the cache afterwards."""

import gzip
import hashlib
import re
import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from filelock import FileLock

from tfmetamers.checkpoints.download_hashes import hashes_file, read_hashes
from tfmetamers.checkpoints.fetch import fetch_entry
from tfmetamers.checkpoints.reader import CheckpointFile
from tfmetamers.errors import CheckpointError


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def published(entry, server):
    """The entry of the single file that the server publishes."""
    return replace(entry, url=server.url)


@pytest.fixture
def archived(entry, server):
    """The entry of an archive that the server publishes."""
    return replace(entry, url=server.url.replace(".bin", ".tar.gz"), archive="tar.gz")


def names(folder: Path) -> set[str]:
    """The files of a cache folder that are not hidden."""
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")} if folder.exists() else set()


def test_download_arrives_whole_and_is_not_repeated(published, server, tmp_path):
    progress = []
    path = fetch_entry(published, cache=tmp_path, progress=lambda *numbers: progress.append(numbers))
    assert path.read_bytes() == server.content
    assert progress[-1] == (len(server.content), len(server.content))
    expected = digest(server.content)
    assert read_hashes(tmp_path) == {published.url: expected, f"{published.url}#small": expected}
    assert names(tmp_path) == {"small.npz", "downloads.json"}
    fetch_entry(published, cache=tmp_path)
    assert len(server.requests) == 1


def interrupt(entry, server, cache):
    """Fetch with a connection that drops midway."""
    server.drops_after = 300_000
    with pytest.raises(CheckpointError, match=r"published\.bin"):
        fetch_entry(entry, cache=cache)
    server.drops_after = None
    assert not (cache / "small.npz").exists()


@pytest.mark.parametrize(
    ("etag", "last_modified", "validator"),
    [
        ('"first"', None, '"first"'),
        (None, "Wed, 31 Aug 2016 12:00:00 GMT", "Wed, 31 Aug 2016 12:00:00 GMT"),
        ('W/"weak"', None, None),
    ],
)
def test_interrupted_download_is_resumed_where_the_version_is_known(
    etag, last_modified, validator, published, server, tmp_path
):
    server.etag, server.last_modified = etag, last_modified
    interrupt(published, server, tmp_path)
    received = (tmp_path / "small.npz.part").stat().st_size
    assert received > 0
    assert fetch_entry(published, cache=tmp_path).read_bytes() == server.content
    assert server.requests[-1].get("Range") == (f"bytes={received}-" if validator else None)
    assert server.requests[-1].get("If-Range") == validator


@pytest.mark.parametrize(
    "behaviour",
    [
        {"ignores_range": True},
        {"range_shift": 1},
        {"content": b"short", "ignores_if_range": True},
        {"content": bytes(range(255, -1, -1)) * 4000, "etag": '"second"'},
        {"content": bytes(range(255, -1, -1)) * 4000, "etag": '"second"', "ignores_if_range": True},
    ],
)
def test_two_versions_are_never_spliced(behaviour, published, server, tmp_path):
    interrupt(published, server, tmp_path)
    for name, value in behaviour.items():
        setattr(server, name, value)
    assert fetch_entry(published, cache=tmp_path).read_bytes() == server.content


def test_part_of_another_address_is_not_resumed(published, server, tmp_path):
    interrupt(published, server, tmp_path)
    fetch_entry(replace(published, url=server.url + "?copy"), cache=tmp_path)
    assert "Range" not in server.requests[-1]


def test_part_longer_than_the_file_is_not_resumed(published, server, tmp_path):
    interrupt(published, server, tmp_path)
    (tmp_path / "small.npz.part").write_bytes(bytes(len(server.content) + 1))
    assert fetch_entry(published, cache=tmp_path).read_bytes() == server.content


def test_download_shorter_than_announced(published, server, tmp_path):
    server.claims_more = 10
    with pytest.raises(CheckpointError, match=r"published\.bin"):
        fetch_entry(published, cache=tmp_path)
    assert not (tmp_path / "small.npz").exists()


def test_hash_other_than_that_of_the_first_download(published, server, tmp_path):
    first = digest(server.content)
    fetch_entry(published, cache=tmp_path).unlink()
    server.content = b"changed"
    with pytest.raises(CheckpointError) as error:
        fetch_entry(published, cache=tmp_path)
    assert first in str(error.value) and digest(b"changed") in str(error.value)
    assert names(tmp_path) == {"downloads.json"}
    assert read_hashes(tmp_path)[published.url] == first


def test_hash_of_a_mirror_is_not_taken_for_that_of_the_published_file(published, server, tmp_path):
    content, server.content = server.content, b"mirrored"
    fetch_entry(replace(published, url=server.url + "?mirror"), cache=tmp_path).unlink()
    server.content = content
    assert fetch_entry(published, cache=tmp_path).read_bytes() == content
    assert read_hashes(tmp_path)[published.address] == digest(content)


def test_damaged_hashes_are_named(published, tmp_path):
    hashes_file(tmp_path).write_text("[1]")
    with pytest.raises(CheckpointError, match=r"downloads\.json"):
        fetch_entry(published, cache=tmp_path)


def test_status_other_than_success(published, server, tmp_path):
    server.status = 404
    with pytest.raises(CheckpointError, match="404"):
        fetch_entry(published, cache=tmp_path)
    assert names(tmp_path) == set()


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/small.npz", "file:///small.npz", "http://", "http://[::1", "x"])
def test_address_that_cannot_be_reached(url, entry, server, tmp_path):
    with pytest.raises(CheckpointError, match=re.escape(url)):
        fetch_entry(replace(entry, url=url), cache=tmp_path)


class TestRedirects:
    def test_are_followed(self, published, server, tmp_path):
        server.leads_to = f"{server.url}?from=here"
        assert fetch_entry(published, cache=tmp_path).read_bytes() == server.content

    @pytest.mark.parametrize(
        "target", ["http://[::1", "file:///etc/passwd", "ftp://a/b", "http://", "http://a:b/", "//[", "\xff://\xfe"]
    )
    def test_to_what_is_no_address_are_named(self, target, published, server, tmp_path):
        server.leads_to = target
        with pytest.raises(CheckpointError, match=r"leads to|valid|redirected"):
            fetch_entry(published, cache=tmp_path)
        assert names(tmp_path) == set()

    def test_without_an_end_are_given_up(self, published, server, tmp_path):
        server.leads_to = server.url
        with pytest.raises(CheckpointError, match="more than 10 times"):
            fetch_entry(published, cache=tmp_path)

    def test_from_an_encrypted_connection_to_an_open_one_are_refused(self, monkeypatch, published, server, tmp_path):
        """A server without a certificate of its own stands in for one that has one."""
        get = requests.get

        def answered(url, **options):
            return get(url.replace("https://", "http://"), **options)

        monkeypatch.setattr(requests, "get", answered)
        server.leads_to = f"{server.url}?from=here"
        secure = replace(published, url=server.url.replace("http://", "https://"))
        with pytest.raises(CheckpointError, match="from https to"):
            fetch_entry(secure, cache=tmp_path)
        server.leads_to = f"{secure.url}?from=here"
        assert fetch_entry(secure, cache=tmp_path).read_bytes() == server.content


class TestLargerThanPublished:
    @pytest.mark.parametrize("hides_length", [False, True])
    def test_nothing_is_kept_of_a_download(self, hides_length, published, server, tmp_path):
        server.hides_length = hides_length
        with pytest.raises(CheckpointError, match="at most 500,000"):
            fetch_entry(replace(published, max_bytes=500_000), cache=tmp_path)
        assert names(tmp_path) == set()

    @pytest.mark.parametrize("trailing", [0, 10**7])
    def test_nothing_is_kept_of_an_archive(self, trailing, archived, server, make_archive, tmp_path):
        """Ten megabytes in ten kilobytes, in a file or after the last one."""
        archive = gzip.decompress(make_archive({"small.npz": bytes(0 if trailing else 10**7)}))
        server.content = gzip.compress(archive + bytes(trailing), mtime=0)
        with pytest.raises(CheckpointError, match="holds more than"):
            fetch_entry(replace(archived, max_bytes=100_000), cache=tmp_path)
        assert names(tmp_path) == set()


@pytest.mark.parametrize("name", ["small.npz.part", "small.npz.part.json"])
@pytest.mark.parametrize("link", [Path.symlink_to, Path.hardlink_to])
def test_a_link_in_the_place_of_the_partial_file_is_not_followed(name, link, published, server, tmp_path):
    mine = tmp_path / "mine"
    mine.write_text("precious")
    cache = tmp_path / "cache"
    cache.mkdir()
    link(cache / name, mine)
    assert fetch_entry(published, cache=cache).read_bytes() == server.content
    assert mine.read_text() == "precious"


class TestPublishedHashes:
    def test_of_a_file(self, published, server, tmp_path):
        right = hashlib.md5(server.content).hexdigest()
        fetch_entry(replace(published, md5={"small.npz": right}), cache=tmp_path / "right")
        with pytest.raises(CheckpointError, match=f"{right}.*openmic"):
            wrong = replace(published, md5={"small.npz": "0" * 32}, md5_source="openmic")
            fetch_entry(wrong, cache=tmp_path / "wrong")
        assert names(tmp_path / "wrong") == set()

    def test_of_a_file_of_an_archive(self, archived, server, make_archive, tmp_path):
        server.content = make_archive({"deep/small.npz": b"1"})
        with pytest.raises(CheckpointError, match=r"small\.npz has the MD5"):
            fetch_entry(replace(archived, md5={"small.npz": "0" * 32}), cache=tmp_path / "wrong")
        assert names(tmp_path / "wrong") == set()
        right = hashlib.md5(b"1").hexdigest()
        assert fetch_entry(replace(archived, md5={"small.npz": right}), cache=tmp_path).read_bytes() == b"1"


def test_a_file_that_changed_in_the_cache_is_noticed(published, server, tmp_path):
    path = fetch_entry(published, cache=tmp_path)
    path.write_bytes(b"changed")
    with pytest.raises(CheckpointError, match=f"{path} has changed.*{digest(server.content)}"):
        fetch_entry(published, cache=tmp_path)
    path.unlink()
    assert fetch_entry(published, cache=tmp_path).read_bytes() == server.content


def test_cache_that_cannot_be_made(published, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match="file/cache"):
        fetch_entry(published, cache=tmp_path / "file" / "cache")


def test_concurrent_fetch_is_refused(published, server, tmp_path):
    with FileLock(tmp_path / f".{published.file}.lock"), pytest.raises(CheckpointError, match=published.file):
        fetch_entry(published, cache=tmp_path)
    assert server.requests == []


@pytest.mark.parametrize("saved", ["V2"], indirect=True)
def test_archive_is_unpacked_and_removed(archived, server, saved, make_archive, tmp_path):
    files = {f"deep/{path.name}": path.read_bytes() for path in CheckpointFile(saved.path).files}
    server.content = make_archive({**files, "notes.txt": b"hello"})
    archived = replace(archived, format=saved.format, checkpoint="net.ckpt", files=("notes.txt",))
    path = fetch_entry(archived, cache=tmp_path)
    assert path == tmp_path / "published/deep/net.ckpt"
    assert names(tmp_path) == {"published", "downloads.json"}
    assert read_hashes(tmp_path)[archived.address] == CheckpointFile(path).digest
    fetch_entry(archived, cache=tmp_path)
    assert len(server.requests) == 1


def test_second_entry_of_an_archive_is_recorded_without_a_download(archived, server, make_archive, tmp_path):
    server.content = make_archive({"small.npz": b"1", "second.npz": b"2", "second.txt": b"3"})
    fetch_entry(archived, cache=tmp_path)
    second = replace(archived, name="second", checkpoint="second.npz", files=["second.txt"])
    assert fetch_entry(second, cache=tmp_path).read_bytes() == b"2"
    assert read_hashes(tmp_path)[second.address] == digest(b"2")
    assert len(server.requests) == 1


def test_second_entry_of_an_archive_needs_its_own_files(archived, server, make_archive, tmp_path):
    server.content = make_archive({"small.npz": b"1", "second.npz": b"2"})
    first = fetch_entry(archived, cache=tmp_path)
    second = replace(archived, name="second", checkpoint="second.npz", files=["second.txt"])
    with pytest.raises(CheckpointError, match=r"second\.txt"):
        fetch_entry(second, cache=tmp_path)
    assert first.read_bytes() == b"1" and second.address not in read_hashes(tmp_path)


def test_archive_that_lost_its_checkpoint_is_fetched_again(archived, server, make_archive, tmp_path):
    server.content = make_archive({"small.npz": b"1", "other.txt": b"2"})
    fetch_entry(archived, cache=tmp_path).unlink()
    assert fetch_entry(archived, cache=tmp_path).read_bytes() == b"1"


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize(
    "attack",
    [
        member("inside/../../escaped"),
        member("/tmp/tfmetamers_escaped"),
        member("..\\escaped"),
        member("link", tarfile.SYMTYPE, "../.."),
        member("pipe", tarfile.FIFOTYPE),
    ],
    ids=lambda info: f"{info.name}-{info.type.decode()}",
)
def test_archive_never_leaves_its_folder(attack, archived, server, make_archive, tmp_path):
    server.content = make_archive({"small.npz": b"1"}, [attack])
    cache = tmp_path / "below" / "cache"
    with pytest.raises(CheckpointError) as error:
        fetch_entry(archived, cache=cache)
    assert repr(attack.name) in str(error.value)
    assert names(cache) == set()
    assert names(tmp_path) == {"below"} and names(tmp_path / "below") == {"cache"}
    assert not Path("/tmp/tfmetamers_escaped").exists()


def half(archive: bytes) -> bytes:
    return archive[: len(archive) // 2]


def one_byte_changed(archive: bytes) -> bytes:
    """Return the archive uncompressed, so that a changed byte of a file breaks nothing but the checksum."""
    plain = bytearray(gzip.compress(gzip.decompress(archive), compresslevel=0))
    plain[700] ^= 1
    return bytes(plain)


@pytest.mark.parametrize("damage", [half, one_byte_changed])
def test_damaged_archive_leaves_nothing(damage, archived, server, make_archive, tmp_path):
    server.content = damage(make_archive({"small.npz": bytes(range(256)) * 50}))
    with pytest.raises(CheckpointError, match=r"published\.tar\.gz"):
        fetch_entry(archived, cache=tmp_path)
    assert names(tmp_path) == set()


def test_archive_without_the_checkpoint_says_what_it_holds(archived, server, make_archive, tmp_path):
    server.content = make_archive({"other.ckpt": b"1"})
    with pytest.raises(CheckpointError, match=r"other\.ckpt.*small\.npz"):
        fetch_entry(archived, cache=tmp_path)
    assert names(tmp_path) == set()


def test_web_page_in_place_of_a_checkpoint(published, server, tmp_path):
    server.content = b"<!DOCTYPE html><title>Moved</title>"
    with pytest.raises(CheckpointError, match="a text file"):
        fetch_entry(replace(published, format="V1"), cache=tmp_path)
    assert names(tmp_path) == set()


FETCH_ON_A_FULL_DISK = """
import resource, sys
from dataclasses import replace
from pathlib import Path
from tfmetamers.checkpoints.catalog import find_entry
from tfmetamers.checkpoints.fetch import fetch_entry
from tfmetamers.errors import TfmetamersError
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
entry = replace(find_entry(sys.argv[1]), url=sys.argv[2], max_bytes=10**8, md5={})
try:
    fetch_entry(entry, cache=Path(sys.argv[3]))
except TfmetamersError as error:
    print("REFUSED:", error)
"""


def fetch_on_a_full_disk(name: str, url: str, cache: Path) -> str:
    """Fetch in a process that may write at most 100 kB to a file, and return what it printed."""
    command = [sys.executable, "-c", FETCH_ON_A_FULL_DISK, name, url, str(cache)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def test_download_can_be_resumed_after_the_disk_was_full(server, entry, tmp_path):
    printed = fetch_on_a_full_disk("vggish_pca", server.url, tmp_path)
    assert "REFUSED" in printed and str(tmp_path) in printed
    assert names(tmp_path) == {"vggish_pca_params.npz.part", "vggish_pca_params.npz.part.json"}
    entry = replace(entry, url=server.url, checkpoint="vggish_pca_params.npz")
    assert fetch_entry(entry, cache=tmp_path).read_bytes() == server.content
    assert server.requests[-1]["Range"] == "bytes=100000-"


def test_full_disk_while_unpacking_keeps_only_the_download(server, make_archive, tmp_path):
    server.content = make_archive({"model.v0.4.1": bytes(1_000_000)})
    printed = fetch_on_a_full_disk("deepspeech_0.4.1", server.url.replace(".bin", ".tar.gz"), tmp_path)
    assert "REFUSED" in printed and str(tmp_path / "published") in printed
    assert names(tmp_path) == {"published.tar.gz.part", "published.tar.gz.part.json"}
