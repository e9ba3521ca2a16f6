"""The command line: argument in, result out; one file a command group. Each command imports what it needs."""
