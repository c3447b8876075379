"""Facts and rules: pure, synchronous, standard library only."""
