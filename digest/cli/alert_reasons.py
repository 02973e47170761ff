"""How `digest alerts test --explain` shows why a rule finds an item or does not."""

from rich.console import Console
from rich.markup import escape

from digest.query.near_misses import Judged
from digest.query.tree import Not
from digest.services.alert_explanations import Explanation

_OUTSIDE = {"regions": "It is of none of the rule's regions.", "sources": "It is of none of the rule's sources.",
            "newsletters": "It is offered to none of the rule's newsletters.",
            "languages": "It is in none of the rule's languages."}


def print_explanation(found: Explanation) -> None:
    console, item = Console(highlight=False), found.item
    console.print(f"[bold]{escape(item.title)}[/bold]\n{escape(item.feed.source.name)} · first seen "
                  f"{item.first_seen_at:%Y-%m-%d %H:%M} UTC · item {item.id} · story {found.story_id or 'none yet'}")
    for clause in found.clauses:
        sign = "[green]✓[/]" if clause.fulfilled else "[red]✗[/]"
        console.print(f"{sign} {escape(str(clause.clause))}{escape(_words(clause))}")
    for condition, is_met in found.conditions:
        console.print(f"{'[green]✓[/]' if is_met else '[red]✗[/]'} {condition} of its story, as it is now")
    for key in found.outside:
        console.print(f"[red]✗[/] {_OUTSIDE[key]}")
    console.print(f"[bold]{escape(verdict(found))}[/bold]")
    for firing in found.alerts:
        console.print(f"  {firing.at:%Y-%m-%d %H:%M} UTC, {escape(', '.join(map(str, firing.why)))}: "
                      f"{escape(firing.item.title)} ({escape(firing.item.feed.source.name)})")


def verdict(found: Explanation) -> str:
    """What becomes of the item, in one sentence."""
    if not found.matches:
        return "It does not match."
    if found.item.backlog:
        return "It matches, but was old when its feed was first read: it alerts nobody."
    if found.item.first_seen_at <= found.since:
        return "It matches, but was there before the time that is looked at."
    if any(firing.item.id == found.item.id for firing in found.alerts):
        return "It matches, and the rule would have told of it:"
    if found.alerts:
        return "It matches, and the rule would have told of its story with another item:"
    if found.story_id is None:
        return "It matches, but has no story yet: the next poll gives it one."
    return "It matches, but its story has not come to be as the rule asks."


def explanation_json(found: Explanation) -> dict[str, object]:
    return {
        "item": found.item.id, "title": found.item.title, "url": found.item.url, "story": found.story_id,
        "matches": found.matches, "verdict": verdict(found), "backlog": found.item.backlog,
        "clauses": [{"clause": str(one.clause), "fulfilled": one.fulfilled, "words": list(one.words), "why": one.why}
                    for one in found.clauses],
        "conditions": [{"condition": str(one), "fulfilled": is_met} for one, is_met in found.conditions],
        "outside": list(found.outside),
        "alerts": [{"at": one.at.isoformat(), "item": one.item.id, "why": [str(trigger) for trigger in one.why]}
                   for one in found.alerts],
    }


def _words(clause: Judged) -> str:
    words = ", ".join(f"“{word}”" for word in clause.words)
    if isinstance(clause.clause, Not):
        return f": it has {words}" if words else ""
    if clause.why:
        return f": {clause.why} ({words})"
    return f": {words}" if words else ""
