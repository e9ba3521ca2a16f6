"""The AWS edge: ports, sessions, clients, limiter, retries, revision cache. boto3 lives here alone."""
