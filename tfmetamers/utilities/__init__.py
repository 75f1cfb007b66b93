"""What everything else uses: files that are written whole, deferred Ctrl-C, pickles that are read without execution."""
