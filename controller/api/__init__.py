"""The spec API: the three kinds as models, problems, conditions, JSON Schema. Imports nothing of ours."""
