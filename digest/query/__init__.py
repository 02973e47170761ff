"""The query language of topics, alert rules and search: parse, print, match. Pure: strings and items in, spans out."""

from digest.query.conditions import StoryFacts, holds, story_conditions
from digest.query.explain import explain
from digest.query.grammar import parse_query
from digest.query.lint import QueryWarning, lint_query
from digest.query.match import MatchText, Span, match, prepare
from digest.query.tree import Query

__all__ = [
    "MatchText", "Query", "QueryWarning", "Span", "StoryFacts", "explain", "holds", "lint_query", "match",
    "parse_query", "prepare", "story_conditions",
]
