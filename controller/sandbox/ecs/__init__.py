"""ECS's API over the simulated world: requests checked, operations, answers in ECS's shapes."""
