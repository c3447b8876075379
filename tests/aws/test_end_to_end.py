"""A whole deployment: what goes in by a signed URL comes out as renditions, whatever breaks in between.

Each window of behaviour.md's "no job is ever lost" is opened here on the platform that has it. `tests/support/aws/cloud.py` says
what is real. The files are made here, but for the corpus's, which are left out where it is not.
"""

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.served, pytest.mark.timeout(180)]

PATIENCE = 90
