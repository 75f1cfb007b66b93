"""What everything else uses: atomic writes, locks, deferred Ctrl-C, pickles that are read without being executed."""
