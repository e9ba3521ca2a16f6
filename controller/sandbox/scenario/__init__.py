"""A world to start with and what happens in it, as one document: docs/sandbox.md."""
