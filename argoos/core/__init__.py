"""The pure core: what was pushed, what runs, what may move. No I/O, no clock, no waiting."""
