"""SpecSet × one service → config objects and the owned part of its task definition. Pure."""
