"""Engines that recognise speech on this machine, each in the isolated child; and the models that they need."""
