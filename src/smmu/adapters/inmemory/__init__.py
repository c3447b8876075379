"""Adapters that keep everything in memory: for tests, for simulation, and for embedding without a disk.

They keep a port's promises to the letter, enforce the limits of the real services, and show their weaknesses on request
(`weather`). They start no threads, so that the same code runs in virtual time.
"""
