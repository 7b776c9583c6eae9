"""Results of services in words: errors, obstacles, stories, summaries."""
