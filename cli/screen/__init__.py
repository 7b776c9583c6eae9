"""What is shown: tables, prose, progress, lists that are watched."""
