"""Plan → AWS writes, ordered and idempotent. Only here is anything written to ECS and the config store."""
