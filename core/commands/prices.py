"""`python -m core prices`: the price catalogue with age and retirement, and taking in a newer list. No browser."""

from dataclasses import asdict
from datetime import date
from typing import Any

from core.commands import emit, log, parser
from core.evidence import price_lists, prices


def main(argv: list[str]) -> int:
    """Print the catalogue, one offer's history, or what a new list changes; exit status 0. Raises Problem."""
    options = parser("prices", "The price catalogue with sources, dates and retirements; taking in a newer list.")
    options.add_argument(
        "--from", dest="place", metavar="FILE_OR_URL", help="llm-prices' JSON (https or file) or a CSV"
    )
    options.add_argument("--dry-run", action="store_true", help="show what the list would change and keep nothing")
    options.add_argument("--id", default="", help="every price known of one offer, the oldest first")
    given = options.parse_args(argv)
    if given.place:
        result = _take(given.place, given.dry_run)
    elif given.id:
        result = {"id": given.id, "history": [_row(one) for one in price_lists.history(given.id)]}
    else:
        result = {"note": prices.note(), "offers": [_row(one) for one in price_lists.catalogue().values()]}
    if given.json:
        emit(result)
    else:
        _show(result)
    return 0


def _take(place: str, dry_run: bool) -> dict[str, Any]:
    """Read a list, compare it with what is known and, unless `dry_run`, keep it beside the earlier ones."""
    today = date.today()
    offers, notes = price_lists.read(price_lists.fetch(place), place, today)
    for note in notes[:20]:
        log(note)
    found = price_lists.changes(price_lists.catalogue(), offers)
    if not dry_run:
        log(f"kept as {price_lists.keep(offers, place, today).name}; earlier lists stay beside it")
    return {
        "from": place,
        "kept": not dry_run,
        "changed": [asdict(one) for one in found.changed],
        "same": found.same,
        "older_than_known": list(found.older),
        "left_out": notes,
    }


def _row(one: prices.Offer) -> dict[str, Any]:
    """An offer as JSON values, with its age in days and whether that is old."""
    today = date.today()
    age = one.age(today)
    return {
        **asdict(one),
        "sets": one.sets,
        "age_days": age,
        "old": age > prices.old_days(),
        "gone": one.retired(today),
    }


def _show(result: dict[str, Any]) -> None:
    if "changed" in result:
        for one in result["changed"]:
            print(f"{one['id']}: {one['before'] or 'new'} -> {one['after']}")
        older = f", {len(result['older_than_known'])} older than what is known" if result["older_than_known"] else ""
        print(f"{len(result['changed'])} changed or new, {result['same']} the same{older}.")
        return
    for row in result.get("offers", result.get("history", [])):
        price = ", ".join(f"{name} {value}" for name, value in row["sets"].items())
        flags = [f"retires {row['retires']}"] * bool(row["retires"]) + [f"{row['age_days']} days old"] * row["old"]
        print(f"{row['id']}: {price} [{row['source']}, {row['date']}]" + "".join(f"  {flag}" for flag in flags))
