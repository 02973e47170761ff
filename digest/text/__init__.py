"""Tokens, stems, sentences and languages: pure functions over strings."""
