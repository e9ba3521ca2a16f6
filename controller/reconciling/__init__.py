"""The recipe: specs in force, a look at the world, a plan a service, and one service made true at a time."""
