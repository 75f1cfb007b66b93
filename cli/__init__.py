"""The command line: arguments, messages and calls, nothing else."""
