"""The query language: parse, print, match."""
from digest.query.grammar import parse_query

__all__ = ["parse_query"]
