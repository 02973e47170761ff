"""Building and handing over mail."""
