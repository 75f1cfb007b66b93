"""An experiment without the server of this package: a folder that opens from a file, JATOS, DataPipe; and answers."""

import base64
import json
import os
import re
import shutil
import uuid
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfmetamers.errors import ArgumentError, ResultError, shown
from tfmetamers.people.build_record import read_build
from tfmetamers.people.database import database_path, read_rows
from tfmetamers.people.experiment_file import NAME, read_content, written
from tfmetamers.people.rows import write_rows_csv
from tfmetamers.utilities.files import atomic_write

#: The identifier of an experiment of DataPipe.
_DATAPIPE = re.compile(r"[A-Za-z0-9]{12}")

#: When files of an archive were changed, so that the same site gives the same bytes; the first time that ZIP can hold.
_CHANGED = (1980, 1, 1, 0, 0, 0)


def export_offline(out: str | os.PathLike, target: str | os.PathLike, **finish: str | None) -> None:
    """Write a folder whose ``index.html`` opens from a file; answers are downloaded as a CSV at the end.

    Args:
        out: the folder that `tfmetamers.people.site.build_site` wrote.
        target: the folder to write.
        finish: ``code`` or ``redirect``, what those who finished get.

    Raises:
        ResultError: `out` is no experiment's, or `target` exists or cannot be written.
    """
    content = _content(out, {"kind": "offline"}, finish)
    with atomic_write(_new(target)) as folder:
        _copy_site(out, folder, content)
        for sound in sorted((folder / "stimuli").glob("*.wav")):  # A page from a file may not read other files.
            encoded = base64.b64encode(sound.read_bytes()).decode()
            text = f"(window.TFMETAMERS_STIMULI = window.TFMETAMERS_STIMULI || {{}})[{json.dumps(sound.stem)}] = "
            sound.with_suffix(".js").write_text(f"{text}{json.dumps(encoded)};\n", encoding="utf-8")


def export_datapipe(out: str | os.PathLike, target: str | os.PathLike, experiment: str, **finish: str | None) -> None:
    """Write a folder for any web server; each participant's answers go to DataPipe at the end, and so to OSF.

    Args:
        out: the folder that `tfmetamers.people.site.build_site` wrote.
        target: the folder to write.
        experiment: the identifier that DataPipe gave the experiment: 12 letters and digits.
        finish: ``code`` or ``redirect``, what those who finished get.

    Raises:
        ArgumentError: the identifier is another.
        ResultError: `out` is no experiment's, or `target` exists or cannot be written.
    """
    if not _DATAPIPE.fullmatch(experiment):
        raise ArgumentError(f"DataPipe's identifier is {shown(experiment)}; 12 letters and digits were expected.")
    content = _content(out, {"kind": "datapipe", "experiment": experiment}, finish)
    with atomic_write(_new(target)) as folder:
        _copy_site(out, folder, content)


def export_jatos(out: str | os.PathLike, target: str | os.PathLike, **finish: str | None) -> None:
    """Write a study archive (``.jzip``) for JATOS 3.9.7 or later; importing it again replaces the study.

    Args:
        out: the folder that `tfmetamers.people.site.build_site` wrote.
        target: the file to write.
        finish: ``code`` or ``redirect``, what those who finished get.

    Raises:
        ResultError: `out` is no experiment's, or `target` exists or cannot be written.
    """
    content = _content(out, {"kind": "jatos"}, finish)
    site, name = Path(out) / "site", f"tfmetamers_{content['task']}"
    with atomic_write(_new(target)) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, f"{name}.jas", json.dumps(_study(content, name), indent=2))
        for path in sorted(path for path in site.rglob("*") if path.is_file()):
            inside = path.relative_to(site).as_posix()
            if inside == NAME:
                _add(archive, f"{name}/{inside}", written(content))
            elif inside == "index.html":
                page = path.read_text("utf-8").replace("<head>", '<head>\n<script src="jatos.js"></script>', 1)
                _add(archive, f"{name}/{inside}", page)
            else:
                _add(archive, f"{name}/{inside}", path.read_bytes())


def export_answers(out: str | os.PathLike, target: str | os.PathLike) -> int:
    """Write all answers in the server's database as a CSV, and return the number of rows; the server may be running.

    Raises:
        ResultError: nobody has taken part, the database cannot be used, or the file exists or cannot be written.
    """
    rows = read_rows(database_path(out), read_build(out).experiment)
    with atomic_write(_new(target)) as partial:
        partial.write_text(write_rows_csv(rows), encoding="utf-8", newline="")
    return len(rows)


def _content(out: str | os.PathLike, save: Mapping[str, str], finish: Mapping[str, str | None]) -> dict[str, Any]:
    content = read_content(Path(out) / "site")
    return {**content, "save": dict(save), "finish": {"code": None, "redirect": None, **finish}}


def _new(target: str | os.PathLike) -> Path:
    if os.path.lexists(target):
        raise ResultError(f"{target} already exists; give another name, or move it away.")
    return Path(target)


def _copy_site(out: str | os.PathLike, folder: Path, content: Mapping[str, Any]) -> None:
    shutil.copytree(Path(out) / "site", folder)
    (folder / NAME).write_text(written(content), encoding="utf-8")


def _add(archive: zipfile.ZipFile, name: str, content: str | bytes) -> None:
    entry = zipfile.ZipInfo(name, _CHANGED)
    entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
    archive.writestr(entry, content)


def _study(content: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the description of a study as JATOS's own archives have it, version 3."""

    def identifier(part: str) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{content['id']} {part}"))

    component = {
        "uuid": identifier("component"), "title": "Experiment", "htmlFilePath": "index.html", "reloadable": True,
        "active": True, "comments": "", "jsonData": None,
    }  # fmt: skip
    batch = {
        "uuid": identifier("batch"), "title": "Default", "active": True, "maxActiveMembers": None,
        "maxTotalMembers": None, "maxTotalWorkers": None,
        "allowedWorkerTypes": ["PersonalSingle", "Jatos", "PersonalMultiple", "GeneralSingle"], "comments": None,
        "jsonData": None,
    }  # fmt: skip
    data = {
        "uuid": identifier("study"), "title": content["title"], "description": "", "groupStudy": False,
        "linearStudy": False, "allowPreview": False, "dirName": name, "comments": "", "jsonData": None,
        "endRedirectUrl": content["finish"]["redirect"] or "", "studyEntryMsg": None, "componentList": [component],
        "batchList": [batch],
    }  # fmt: skip
    return {"version": "3", "data": data}
