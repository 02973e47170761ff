"""Imported once by the server that parser processes are forked from, so that they share what is loaded here."""

from digest.parsing.serving import prepare

prepare()
