"""The web pages: app, access, then one file a noun."""
