"""What is well formed and goes wrong all the same: lints, each with a code by which a spec may allow it."""
