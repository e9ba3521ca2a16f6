"""Clock, queue, workers, periodic tasks, stopping. Knows keys and callables, not LogRoutes; stdlib only."""
