"""The steps: claim, launch, observe, settle, rescue. One step, one file."""
