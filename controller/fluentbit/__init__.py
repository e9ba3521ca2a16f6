"""Fluent Bit's language: option catalogue by version, config tree, writer, checks. Pure."""
