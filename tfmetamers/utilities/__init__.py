"""What everything else stands on: files written whole, Ctrl-C held back, pickles that are read and never executed."""
