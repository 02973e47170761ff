"""Channels of alerts beside mail: signed webhooks, and chat services by apprise. Each takes one bundle at a time."""
