"""Configs put to the test: a real Fluent Bit is started on each for a moment, made harmless first."""
