"""The sandbox's one HTTP endpoint: ECS is ours, `/_sandbox/…` turns the clock, everything else is moto's."""
