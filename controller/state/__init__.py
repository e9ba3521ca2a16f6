"""What must outlive a kill: small JSON objects beside the configs, changed by conditional writes."""
