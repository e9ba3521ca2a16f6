"""Which rights LogRoute, and the tasks whose logs it routes, need of IAM. Pure: policies as data."""
