"""Fetching over HTTP and from recorded archives."""
