"""A hand-made FireLens task definition and its Fluent Bit files → a LogRoute and its LogRouterClass. Pure."""
