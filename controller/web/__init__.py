"""HTTP on one port: metrics and health now; status API, hooks and the status page later."""
