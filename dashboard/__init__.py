"""The pages that the API's process serves to people with a browser. They render what services say, and decide nothing.

`ALL` lists the topics of their routes, and `problem_page` is how problems look; whoever starts a server passes both on.
"""

from dashboard.problems import problem_page
from dashboard.routes import ALL

__all__ = ["ALL", "problem_page"]
