"""The stories with nothing between the installation and its database."""

import pytest

from tests.integration.stories import Stories


@pytest.mark.every_postgres
class TestStories(Stories):
    """With the fixture `world` of this folder."""
