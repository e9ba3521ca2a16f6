"""Desired × Observed × Memory → what to do, or what holds it. Pure; only here is anything decided."""
