"""What the stand-in does otherwise than AWS documents, by the contract test that shows it, and why.

These tests are expected to fail there, strictly: when one passes, its row is to go.
"""

DIFFERENCES: dict[str, str] = {}
