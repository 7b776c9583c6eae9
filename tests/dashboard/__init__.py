"""The pages, as a browser gets them from the real server."""
