"""Measurements that the documentation quotes. Run one with `python -m bench.NAME`."""
