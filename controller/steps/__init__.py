"""The steps of a tick: observe, settle, rescue (with breaker), scale, claim, launch. One step, one file."""
