"""`python -m core runs list|show|tag|again|delete|restore|export`: the History page without a browser."""

from argparse import Namespace
from typing import Any

from core import history, records, runtime
from core.commands import emit, log, parser, with_project
from core.errors import Problem
from core.history import Entry
from core.project import Project
from core.runtime import Runtime
from core.text import one_line

WAYS = ("list", "show", "tag", "again", "delete", "restore", "export")


def main(argv: list[str]) -> int:
    """One action; exit status 0."""
    options = with_project(parser("runs", "Every run of the playground and every evaluation of a project."))
    options.add_argument("way", choices=WAYS)
    options.add_argument("id", nargs="?", default="", help="which run or evaluation; see: list")
    options.add_argument("--text", default="", help="list: only those in which it stands")
    options.add_argument("--kind", default="", choices=("", *history.KINDS))
    options.add_argument("--tag", default="", help="list: only those with this tag")
    options.add_argument("--deleted", action="store_true", help="list: what can still be brought back")
    options.add_argument("--name", default=None, help="tag: what it is called")
    options.add_argument("--tags", default=None, help="tag: its tags, separated by spaces, in place of those it had")
    given = options.parse_args(argv)
    if given.way != "list" and not given.id:
        raise Problem(f"Which run or evaluation? python -m core runs {given.way} ID")
    try:
        here = runtime.get()
        project = here.projects.get(given.project)
        made = _done(here, project, given)
    finally:
        runtime.close()
    if given.json or given.way == "export":
        emit({"project": project.id, **made})
    else:
        for one in made["entries"]:
            tags = " ".join(f"#{tag}" for tag in one["tags"])
            print(f"{one['id']}  {one['made']}  {one['kind']:<10} {one_line(one['name'] or one['title'], 80)} {tags}")
        for line in made.get("differs", []):
            log(f"differs now: {line}")
    return 0


def _done(here: Runtime, project: Project, given: Namespace) -> dict[str, Any]:
    if given.way == "list":
        found = history.entries(here, project, given.text, given.kind, given.tag, given.deleted)
        return _told(found)
    entry = history.find(here, project, given.id, deleted=given.way == "restore")
    if given.way == "tag":
        tags = entry.tags if given.tags is None else history.tags_of(given.tags)
        history.label(here, project, entry, entry.name if given.name is None else given.name, tags)
        return _told([history.find(here, project, entry.id)])
    if given.way in ("delete", "restore"):
        history.delete(here, project, [entry], back=given.way == "restore")
        return _told([entry])
    if given.way == "again":
        started = history.again(here, project, entry, watched=False)
        if (live := here.runs.live(started)) is not None:
            live.wait()
        else:
            here.jobs.wait(started)
        return {**_told([history.find(here, project, started)]), "started": started}
    differs = history.differs(here, project, entry)
    return {**_told([entry]), "differs": differs, "body": history.document(here, entry)["body"]}


def _told(found: list[Entry]) -> dict[str, Any]:
    return {"entries": [records.plain(one) for one in found]}
