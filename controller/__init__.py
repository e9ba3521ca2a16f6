"""LogRoute: log routes from git or S3, made true on live ECS services."""

__version__ = "0.1.0"
