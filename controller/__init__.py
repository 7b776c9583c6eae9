"""Claims jobs, launches runs, and turns what became of them into job and dataset status."""
