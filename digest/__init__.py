"""Region Digest: a self-hosted newsletter digest and alerting service."""

__version__ = "0.1.0"
