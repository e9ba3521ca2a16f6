"""Snapshot in, SpecSet out: YAML with positions, validation, references."""
