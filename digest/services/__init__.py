"""Stateful work, one file a noun: decides with the pipeline, acts through storage and ports."""
