"""Metrics, structured logs and redaction. prometheus_client and structlog are set up here alone."""
