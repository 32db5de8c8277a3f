"""Programs for work on aiinfra itself; none of them is installed."""
